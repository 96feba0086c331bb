# Zhengguan reads this machine: prints what it is asked for, writes nothing, keeps nothing.
# Sent on the standard input of "sh -s" (POSIX, busybox too), after a line that sets N, S and M and before
# the questions. N: a word nobody here can guess, which marks where answers begin and end. S: 1 = sudo may be
# tried. M: bytes of an answer. Every command gets its own standard input, because ours is this script.
unalias -a 2>/dev/null
unset IFS
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C LANG=C
export PATH LC_ALL LANG
printf '\n%s! start\n' "$N"
exec 3>&1 2>/dev/null
cd /
U=$(id -u </dev/null)
case $U in
'' | *[!0-9]*) while read -r k v _; do [ "$k" = Uid: ] && U=$v; done </proc/self/status ;;
esac
T=
timeout 5 true </dev/null && T='timeout 20'

begin() { printf '\n%s? %s\n' "$N" "$*"; }
end() { printf '\n%s. %s\n' "$N" "$*"; }

# why: what the message of a failed open says
why() {
  case $1 in
  *'ermission denied'* | *'not permitted'*) end denied ;;
  *'o such file'* | *'ot a directory'* | *'o such process'*) end not_found ;;
  *) end unreadable ;;
  esac
}
missing() { why "$( { true <"$1"; } 2>&1)"; }

# f: a file
f() {
  begin "f $1"
  if [ -f "$1" ]; then
    if e=$( { head -c "$M" <"$1" >&3; } 2>&1); then end ok; else why "$e"; fi
  elif [ -e "$1" ]; then
    end unreadable
  else
    missing "$1"
  fi
}

# v: a file of one line, read without starting a program
v() {
  begin "f $1"
  line=
  if { IFS= read -r line <"$1"; } 2>/dev/null || [ "$line" ]; then
    printf '%s\n' "$line"
    end ok
  elif [ -e "$1" ]; then
    if [ -r "$1" ]; then end unreadable; else end denied; fi
  else
    missing "$1"
  fi
}

# d: names in a folder, each ended by a NUL
d() {
  begin "d $1"
  if [ -d "$1" ]; then
    [ -r "$1" ] || { end denied; return; }
    any=
    for p in "$1"/* "$1"/.[!.]* "$1"/..?*; do
      n=${p##*/}
      case $n in '*' | '.[!.]*' | '..?*') [ -e "$p" ] || [ -L "$p" ] || continue ;; esac
      any=1
      printf '%s\000' "$n"
    done
    if [ "$any" ] || e=$( { ls "$1" >/dev/null; } 2>&1); then end ok; else why "$e"; fi
  elif [ -e "$1" ]; then
    end not_found
  else
    missing "$1"
  fi
}

# l: where a symbolic link leads
l() {
  begin "l $1"
  if [ -L "$1" ]; then
    e=$(readlink "$1" </dev/null)
    printf %s "$e"
    if [ "$e" ]; then end ok; else end unreadable; fi
  elif [ -e "$1" ]; then
    end unreadable
  else
    missing "$1"
  fi
}

# t: a folder and its files
t() {
  d "$1"
  for p in "$1"/* "$1"/.[!.]*; do [ -f "$p" ] && f "$p"; done
}

# x, m: whether a path exists; when it was modified, too (seconds since 1970; 0 where nothing here can tell)
x() {
  begin "m $1"
  if [ -e "$1" ]; then
    printf 0
    end ok
  else
    missing "$1"
  fi
}
m() {
  begin "m $1"
  if [ -e "$1" ]; then
    e=$(stat -L -c %Y "$1" </dev/null)
    case $e in '' | *[!0-9]*) e=0 ;; esac
    printf %s "$e"
    end ok
  else
    missing "$1"
  fi
}

# place: where a program is (p), as the other readers look for it; "command -v" may name what busybox has built in
place() {
  for p in /usr/sbin /usr/bin /sbin /bin; do
    p=$p/$1
    [ -e "$p" ] && return
  done
  return 1
}

# c: a command; r: one that only root may run, by sudo where that is allowed without a password
c() {
  begin "c $*"
  place "$1" || { end not_found; return; }
  shift
  { $T "$p" "$@" </dev/null; end "status $?"; } | head -c "$M"
}
r() {
  [ "$U" = 0 ] && { c "$@"; return; }
  begin "c $*"
  place "$1" || { end not_found; return; }
  shift
  if [ "$S" = 1 ] && sudo -n -l "$p" "$@" </dev/null >/dev/null; then
    {
      e=$($T sudo -n "$p" "$@" 2>&1 >&4 </dev/null)
      s=$?
      case $e in sudo:*) end "denied $p $*" ;; *) end "elevated $s" ;; esac
    } 4>&1 | head -c "$M"
  else
    end "denied $p $*"
  fi
}

# a: passwd(5), with a hash that stands in it cut to its scheme
a() {
  [ -r /etc/passwd ] || { f /etc/passwd; return; }
  begin "f /etc/passwd"
  { head -c "$M" </etc/passwd && end ok || end unreadable; } | sed \
    -e 's/^\([^:]*:!*\$[^$,:]*[$,]\)[^:]*:/\1******:/' \
    -e 's/^\([^:]*:!*\)[./0-9A-Za-z]\{13\}:/\1.............:/' \
    -e 's/^\([^:]*:!*_\)[./0-9A-Za-z]\{19\}:/\1...................:/'
}

# w: a part of shadow(5), cut by the delimiter $2 to the fields $3. No part holds a hash: "state" ends before the
# second "$" (and sed leaves of the rest only what says locked or none; a hash of DES, which has no "$", becomes
# dots), "dates" leaves the second field out.
w() {
  begin "w $1"
  [ -e /etc/shadow ] || { missing /etc/shadow; return; }
  place cut || { end unreadable; return; }
  sudo=
  if [ ! -r /etc/shadow ]; then
    if [ "$S" = 1 ] && sudo -n -l "$p" "-d$2" "-f$3" /etc/shadow </dev/null >/dev/null; then
      sudo='sudo -n'
    else
      end "denied $p -d$2 -f$3 /etc/shadow"
      return
    fi
  fi
  { $T $sudo "$p" "-d$2" "-f$3" /etc/shadow </dev/null && end ok || end unreadable; } | if [ "$1" = dates ]; then
    sed -e "/^$N/b" -e '/^$/b' -e '/:/!d'
  else
    sed -e "/^$N/b" -e '/^$/b' -e '/:/!d' -e 's/^\([^:]*:[^:]*\):.*/\1/' -e 't a' -e ':a' \
      -e 's/^\([^:]*:!*\$[0-9A-Za-z,=]*\)$/\1/' -e t \
      -e 's/^\([^:]*:!*\)[./0-9A-Za-z]\{13\}$/\1............./' -e t \
      -e 's/^\([^:]*:!*_\)[./0-9A-Za-z]\{19\}$/\1.................../' -e t \
      -e 's/^\([^:]*:!*\)[^!].*$/\1*/'
  fi
}

# g: who watches for intrusions, by the names given: which sockets they hold, for n
g() {
  G=
  for q in /proc/[0-9]*; do
    line=
    { IFS= read -r line <"$q/comm"; } 2>/dev/null
    for name; do
      [ "$line" = "$name" ] && [ -r "$q/fd" ] &&
        G="$G $(ls -l "$q/fd" </dev/null | sed -n -e 's/^l.* -> socket:\[\([0-9]*\)\]$/\1/p')"
    done
  done
}

# n: a table of sockets: those that wait for anybody, in the state $2, and the connections of those that g found
n() {
  [ -r "$1" ] || { f "$1"; return; }
  begin "f $1"
  table=$1
  set -- -e 1p -e "/^$N/p" -e "/^ *[0-9]*: [0-9A-F]*:[0-9A-F]* [0-9A-F]*:[0-9A-F]* $2 /p"
  for inode in $G; do
    set -- "$@" -e "/^ *[0-9]*: [0-9A-F]*:[0-9A-F]* [0-9A-F]*:[0-9A-F]* 01 [^ ]* [^ ]* [^ ]* *[0-9]* *[0-9]* $inode /p"
  done
  { head -c "$M" <"$table" && end ok || end unreadable; } | sed -n "$@"
}

# p: processes by name. Arguments may hold secrets: of those whose name is cut off the first is read, and of
# sshd all, which say where its configuration is.
p() {
  begin p
  long='' sshd=''
  for q in /proc/[0-9]*; do
    line=
    { IFS= read -r line <"$q/comm"; } 2>/dev/null
    [ "$line" ] || continue
    printf '%s %s\n' "${q#/proc/}" "$line"
    case $line in
    sshd) sshd="$sshd $q" ;;
    ???????????????*) long="$long $q" ;;
    esac
  done
  end ok
  for q in $sshd; do f "$q/cmdline"; done
  for q in $long; do
    line=
    { IFS= read -r line <"$q/cmdline"; } 2>/dev/null
    [ "$line" ] || continue
    begin "f $q/cmdline"
    tr '\000' '\n' <"$q/cmdline" | head -n 1 | tr -d '\n'
    end ok
  done
}

# o: who holds which socket: "PID:", then "DESCRIPTOR INODE", or "DESCRIPTOR ?" where the link may not be read
o() {
  begin o
  list=
  for q in /proc/[0-9]*/fd; do [ -r "$q" ] && list="$list $q"; done  # busybox heads even those it cannot open
  {
    ls -l $list /proc/self/fd </dev/null
    end ok
  } | sed -n -e "/^$N/p" \
    -e 's/^\/proc\/\([0-9]*\)\/fd:$/\1:/p' \
    -e 's/^l.* \([0-9][0-9]*\) -> socket:\[\([0-9]*\)\]$/\1 \2/p' \
    -e 's/^l[^>]* \([0-9][0-9]*\)$/\1 ?/p'
}

# i: interfaces as /sys shows them
i() {
  d /sys/class/net
  for q in /sys/class/net/*; do
    for item in ifindex flags address mtu operstate speed type statistics/rx_bytes statistics/tx_bytes \
      statistics/rx_errors statistics/tx_errors; do
      v "$q/$item"
    done
  done
}

begin u
printf %s "$U"
end ok

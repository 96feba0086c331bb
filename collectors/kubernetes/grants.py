"""The least that the collector must be allowed, as users apply it."""

from __future__ import annotations

CLUSTER_ROLE = """\
apiVersion: v1
kind: Namespace
metadata: {name: zhengguan}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: zhengguan, namespace: zhengguan}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: zhengguan-reader}
rules:
  - apiGroups: [""]
    resources: [nodes, namespaces, pods, replicationcontrollers, services, serviceaccounts, limitranges,
                resourcequotas, persistentvolumes, persistentvolumeclaims]
    verbs: [get, list]
  - apiGroups: [apps]
    resources: [deployments, replicasets, statefulsets, daemonsets]
    verbs: [get, list]
  - apiGroups: [batch]
    resources: [jobs, cronjobs]
    verbs: [get, list]
  - apiGroups: [networking.k8s.io]
    resources: [ingresses, networkpolicies]
    verbs: [get, list]
  - apiGroups: [storage.k8s.io]
    resources: [storageclasses]
    verbs: [get, list]
  - apiGroups: [rbac.authorization.k8s.io]
    resources: [roles, rolebindings, clusterroles, clusterrolebindings]
    verbs: [get, list]
  - apiGroups: [admissionregistration.k8s.io]
    resources: [validatingwebhookconfigurations, mutatingwebhookconfigurations,
                validatingadmissionpolicies, validatingadmissionpolicybindings,
                mutatingadmissionpolicies, mutatingadmissionpolicybindings]
    verbs: [get, list]
  - apiGroups: [policy]
    resources: [podsecuritypolicies]
    verbs: [get, list]
  - apiGroups: [apiextensions.k8s.io]
    resources: [customresourcedefinitions]
    verbs: [get, list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: zhengguan-reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: zhengguan-reader}
subjects:
  - {kind: ServiceAccount, name: zhengguan, namespace: zhengguan}
"""
"""No watch, no write, no subresource, and no secrets: who may list secrets may read their values."""

PERMISSIONS = f"""\
只读：采集只发 GET，只要 get 和 list。把下面存成 zhengguan.yaml，kubectl apply -f zhengguan.yaml：

{CLUSTER_ROLE}
再发一个令牌（到期前换发）：kubectl -n zhengguan create token zhengguan --duration=8760h
密钥（secrets）不在其中：Kubernetes 里能列出密钥就能读出密钥的值，没有只给元数据的权限。
不给时，密钥的条目记为“无权限”，相关判定为“未知”：有多少条、什么类型、哪些没有用、哪些是长期有效的令牌
（旧版本里服务账户列出的令牌也算不清）。其余各项照常采集。
确要清点密钥，另加一条 apiGroups [""]、resources [secrets]、verbs [list]。采集只向服务器要表格
（名称、类型、条目数），值不离开服务器，也不进存储、证据、录制和日志；但持有该凭据的人能读出值，须按管理员凭据保管。
有效权限只算 RBAC：webhook、ABAC 授权和身份源里的用户组不在集群的 API 里，看不见。
"""

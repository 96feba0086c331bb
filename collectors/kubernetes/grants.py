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
                validatingadmissionpolicies, validatingadmissionpolicybindings]
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
密钥（secrets）不在其中：Kubernetes 里能列出密钥就能读出密钥的值。密钥的条目因此记为“无权限”，
相关判定为“未知”；确要清点密钥，另加一条
apiGroups [""]、resources [secrets]、verbs [list]，采集只要元数据，不取值。
"""

import Testing

/// What kubectl 1.33 sends for a typed command: the protobuf body in Base64, and the object that it means.
struct KubectlBody: Sendable, CustomTestStringConvertible {
    let command: String
    let body: String
    let object: String

    var testDescription: String { command }

    static let all: [KubectlBody] = [
        KubectlBody(
            command: "create namespace demo",
            body: """
                azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEZGVtbxIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==
                """,
            object: """
                {"kind":"Namespace","apiVersion":"v1","metadata":{"name":"demo"}}
                """),
        KubectlBody(
            command: "create configmap a --from-literal=x=1 --from-literal=y=two",
            body: """
                azhzAAoPCgJ2MRIJQ29uZmlnTWFwEiUKEQoBYRIAGgAiACoAMgA4AEIAEgYKAXgSATESCAoBeRIDdHdvGgAiAA==
                """,
            object: """
                {"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{"x":"1","y":"two"}}
                """),
        KubectlBody(
            command: "create secret generic s --from-literal=k=v",
            body: """
                azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAWsSAXYaABoAIgA=
                """,
            object: """
                {"kind":"Secret","apiVersion":"v1","metadata":{"name":"s"},"data":{"k":"dg=="}}
                """),
        KubectlBody(
            command: "create serviceaccount sa",
            body: """
                azhzAAoUCgJ2MRIOU2VydmljZUFjY291bnQSFAoSCgJzYRIAGgAiACoAMgA4AEIAGgAiAA==
                """,
            object: """
                {"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"sa"}}
                """),
        KubectlBody(
            command: "create deployment web --image=nginx:1 --replicas=2 --port=80",
            body: """
                azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EroBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEogBCAISDAoKCgNh\
                cHASA3dlYhpuChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEk4SMAoFbmdpbngSB25naW54OjEqADIKCgAQABhQIgAqAEIA\
                agByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA==
                """,
            object: """
                {"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web","labels":{"app":"web"}},"spec":\
                {"replicas":2,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"\
                }},"spec":{"containers":[{"name":"nginx","image":"nginx:1","ports":[{"containerPort":80}]}]}}}}
                """),
        KubectlBody(
            command: "create job j --image=busybox -- echo hi",
            body: """
                azhzAAoPCghiYXRjaC92MRIDSm9iEoIBChEKAWoSABoAIgAqADIAOABCABJjMmEKEAoAEgAaACIAKgAyADgAQgASTRIqCgFqEgdi\
                dXN5Ym94GgRlY2hvGgJoaSoAQgBqAHIAgAEAiAEAkAEAogEAGgVOZXZlcjIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAGgggACgA\
                MAA6ABoAIgA=
                """,
            object: """
                {"kind":"Job","apiVersion":"batch/v1","metadata":{"name":"j"},"spec":{"template":{"spec":{"container\
                s":[{"name":"j","image":"busybox","command":["echo","hi"]}],"restartPolicy":"Never"}}}}
                """),
        KubectlBody(
            command: "create cronjob cj --image=busybox --schedule='*/5 * * * *' -- date",
            body: """
                azhzAAoTCghiYXRjaC92MRIHQ3JvbkpvYhKkAQoSCgJjahIAGgAiACoAMgA4AEIAEosBCgsqLzUgKiAqICogKhoAKnoKEgoCY2oS\
                ABoAIgAqADIAOABCABJkMmIKEAoAEgAaACIAKgAyADgAQgASThInCgJjahIHYnVzeWJveBoEZGF0ZSoAQgBqAHIAgAEAiAEAkAEA\
                ogEAGglPbkZhaWx1cmUyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBABoAGgAiAA==
                """,
            object: """
                {"kind":"CronJob","apiVersion":"batch/v1","metadata":{"name":"cj"},"spec":{"schedule":"*/5 * * * *",\
                "jobTemplate":{"metadata":{"name":"cj"},"spec":{"template":{"spec":{"containers":[{"name":"cj","imag\
                e":"busybox","command":["date"]}],"restartPolicy":"OnFailure"}}}}}}
                """),
        KubectlBody(
            command: "create service clusterip svc --tcp=80:8080",
            body: """
                azhzAAoNCgJ2MRIHU2VydmljZRJpCh8KA3N2YxIAGgAiACoAMgA4AEIAWgoKA2FwcBIDc3ZjEkIKGwoHODAtODA4MBIDVENQGFAi\
                BwgAEJA/GgAoABIKCgNhcHASA3N2YxoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==
                """,
            object: """
                {"kind":"Service","apiVersion":"v1","metadata":{"name":"svc","labels":{"app":"svc"}},"spec":{"ports"\
                :[{"name":"80-8080","protocol":"TCP","port":80,"targetPort":8080}],"selector":{"app":"svc"},"type":"\
                ClusterIP"}}
                """),
        KubectlBody(
            command: "create service nodeport np --tcp=80:8080",
            body: """
                azhzAAoNCgJ2MRIHU2VydmljZRJlCh0KAm5wEgAaACIAKgAyADgAQgBaCQoDYXBwEgJucBJAChsKBzgwLTgwODASA1RDUBhQIgcI\
                ABCQPxoAKAASCQoDYXBwEgJucBoAIghOb2RlUG9ydDoAQgBSAFoAYABoABoCCgAaACIA
                """,
            object: """
                {"kind":"Service","apiVersion":"v1","metadata":{"name":"np","labels":{"app":"np"}},"spec":{"ports":[\
                {"name":"80-8080","protocol":"TCP","port":80,"targetPort":8080}],"selector":{"app":"np"},"type":"Nod\
                ePort"}}
                """),
        KubectlBody(
            command: "create ingress ing --class=nginx --rule='a.example/x*=svc:80,tls=sec'",
            body: """
                azhzAAofChRuZXR3b3JraW5nLms4cy5pby92MRIHSW5ncmVzcxJiChMKA2luZxIAGgAiACoAMgA4AEIAEkcSEAoJYS5leGFtcGxl\
                EgNzZWMaLAoJYS5leGFtcGxlEh8KHQobCgIveBINIgsKA3N2YxIECgAQUBoGUHJlZml4IgVuZ2lueBoCCgAaACIA
                """,
            object: """
                {"kind":"Ingress","apiVersion":"networking.k8s.io/v1","metadata":{"name":"ing"},"spec":{"ingressClas\
                sName":"nginx","tls":[{"hosts":["a.example"],"secretName":"sec"}],"rules":[{"host":"a.example","http\
                ":{"paths":[{"path":"/x","pathType":"Prefix","backend":{"service":{"name":"svc","port":{"number":80}\
                }}}]}}]}}
                """),
        KubectlBody(
            command: "create role r --verb=get --resource=pods",
            body: """
                azhzAAokChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEgRSb2xlEiIKEQoBchIAGgAiACoAMgA4AEIAEg0KA2dldBIAGgRw\
                b2RzGgAiAA==
                """,
            object: """
                {"kind":"Role","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"r"},"rules":[{"verbs"\
                :["get"],"apiGroups":[""],"resources":["pods"]}]}
                """),
        KubectlBody(
            command: "create rolebinding rb --role=r --serviceaccount=default:sa",
            body: """
                azhzAAorChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEgtSb2xlQmluZGluZxJbChIKAnJiEgAaACIAKgAyADgAQgASHwoO\
                U2VydmljZUFjY291bnQSABoCc2EiB2RlZmF1bHQaJAoZcmJhYy5hdXRob3JpemF0aW9uLms4cy5pbxIEUm9sZRoBchoAIgA=
                """,
            object: """
                {"kind":"RoleBinding","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"rb"},"subjects\
                ":[{"kind":"ServiceAccount","name":"sa","namespace":"default"}],"roleRef":{"apiGroup":"rbac.authoriz\
                ation.k8s.io","kind":"Role","name":"r"}}
                """),
        KubectlBody(
            command: "create clusterrole cr --verb=get --resource=pods",
            body: """
                azhzAAorChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEgtDbHVzdGVyUm9sZRIjChIKAmNyEgAaACIAKgAyADgAQgASDQoD\
                Z2V0EgAaBHBvZHMaACIA
                """,
            object: """
                {"kind":"ClusterRole","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"cr"},"rules":[\
                {"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}
                """),
        KubectlBody(
            command: "create clusterrolebinding crb --clusterrole=cr --user=bob",
            body: """
                azhzAAoyChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEhJDbHVzdGVyUm9sZUJpbmRpbmcSbQoTCgNjcmISABoAIgAqADIA\
                OABCABIoCgRVc2VyEhlyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvGgNib2IiABosChlyYmFjLmF1dGhvcml6YXRpb24uazhzLmlv\
                EgtDbHVzdGVyUm9sZRoCY3IaACIA
                """,
            object: """
                {"kind":"ClusterRoleBinding","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"crb"},"\
                subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"bob"}],"roleRef":{"apiGroup\
                ":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cr"}}
                """),
        KubectlBody(
            command: "create poddisruptionbudget pdb --selector=app=a --min-available=1",
            body: """
                azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSNwoTCgNwZGISABoAIgAqADIAOABCABIUCgYIABABGgASCgoI\
                CgNhcHASAWEaCggAGAAgACgAMAAaACIA
                """,
            object: """
                {"kind":"PodDisruptionBudget","apiVersion":"policy/v1","metadata":{"name":"pdb"},"spec":{"minAvailab\
                le":1,"selector":{"matchLabels":{"app":"a"}}}}
                """),
        KubectlBody(
            command: "create quota q --hard=cpu=1,pods=2",
            body: """
                azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRIwChEKAXESABoAIgAqADIAOABCABIZCgoKA2NwdRIDCgExCgsKBHBvZHMSAwoBMhoA\
                GgAiAA==
                """,
            object: """
                {"kind":"ResourceQuota","apiVersion":"v1","metadata":{"name":"q"},"spec":{"hard":{"cpu":"1","pods":"\
                2"}}}
                """),
        KubectlBody(
            command: "create token sa --duration=1h",
            body: """
                azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIdChAKABIAGgAiACoAMgA4AEIAEgMgkBwaBAoA\
                EgAaACIA
                """,
            object: """
                {"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1","spec":{"expirationSeconds":3600}}
                """),
        KubectlBody(
            command: "auth can-i create deployments",
            body: """
                azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSSgoQCgASABoAIgAqADIAOABC\
                ABIsCioKB2RlZmF1bHQSBmNyZWF0ZRoEYXBwcyIAKgtkZXBsb3ltZW50czIAOgAaCAgAEgAaACAAGgAiAA==
                """,
            object: """
                {"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","spec":{"resourceAttributes\
                ":{"namespace":"default","verb":"create","group":"apps","resource":"deployments"}}}
                """),
        KubectlBody(
            command: "auth whoami",
            body: """
                azhzAAotChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESEVNlbGZTdWJqZWN0UmV2aWV3EhoKEAoAEgAaACIAKgAyADgAQgASBgoE\
                CgASABoAIgA=
                """,
            object: """
                {"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}
                """),
        KubectlBody(
            command: "create priorityclass high --value=1000 --global-default --preemption-policy=Never",
            body: """
                azhzAAolChRzY2hlZHVsaW5nLms4cy5pby92MRINUHJpb3JpdHlDbGFzcxIsChQKBGhpZ2gSABoAIgAqADIAOABCABDoBxgBIgh0\
                aGUgYmVzdCoFTmV2ZXIaACIA
                """,
            object: """
                {"kind":"PriorityClass","apiVersion":"scheduling.k8s.io/v1","metadata":{"name":"high"},"value":1000,\
                "globalDefault":true,"description":"the best","preemptionPolicy":"Never"}
                """),
    ]
}

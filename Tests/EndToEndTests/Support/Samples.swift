/// Objects that the tests apply.
enum Samples {
    /// Its image is not ours: a pod of it does not start.
    static let deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, labels: {app: web}}
        spec:
          replicas: 0
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
              - name: web
                image: registry.example/web:1
                ports: [{containerPort: 8080}]

        """

    /// A Deployment `talker` of our own image: an operator that stands for election by the Lease `todo-operator` of its
    /// namespace, and logs whom it sees leading. The kubeconfig is a file of this machine.
    static func talker(namespace: String, kubeconfig: String) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: talker}
        spec:
          selector: {matchLabels: {app: talker}}
          template:
            metadata: {labels: {app: talker}}
            spec:
              terminationGracePeriodSeconds: 5
              containers:
              - name: operator
                image: ghcr.io/todo-operator/todo:1
                args: [operator, --kubeconfig, \(kubeconfig), --namespace, \(namespace), --leader-elect,
                  --leader-elect-namespace, \(namespace), --metrics-port, "0"]

        """
    }

    /// A Lease that nobody takes from `holder` within the hour.
    static func lease(holder: String) -> String {
        """
        apiVersion: coordination.k8s.io/v1
        kind: Lease
        metadata: {name: todo-operator}
        spec: {holderIdentity: \(holder), leaseDurationSeconds: 3600}

        """
    }

    static func configMap(_ name: String, data: String) -> String {
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \(name)}\ndata: \(data)\n"
    }

    /// A CustomResourceDefinition with validation, defaults, printer columns, status and scale.
    static let widgets = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.test.example}
        spec:
          group: test.example
          scope: Namespaced
          names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
          versions:
          - name: v1
            served: true
            storage: true
            subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
            additionalPrinterColumns: [{name: Size, type: string, jsonPath: .spec.size}]
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec:
                    type: object
                    required: [size]
                    properties:
                      size: {type: string, enum: [small, large], description: How big it is.}
                      replicas: {type: integer, default: 1}
                    x-kubernetes-validations: [{rule: "self.replicas < 5", message: at most four}]
                  status: {type: object, x-kubernetes-preserve-unknown-fields: true}

        """

    static func widget(_ name: String, spec: String) -> String {
        "apiVersion: test.example/v1\nkind: Widget\nmetadata: {name: \(name)}\nspec: \(spec)\n"
    }
}

internal import Crypto
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Which of an app's objects a pass applies, so that a change of pod templates is rolled out one service after the other
/// (promise 11): what breaks the first stops there, and the others go on with what they had.
///
/// Nothing is remembered: each Deployment carries the digest of the template that it was last given. A service waits when
/// its template has changed and a service before it is still being rolled out. So what does not replace pods never waits,
/// and drift is put back at once: it changes no digest. A service without a Deployment, or without a ready pod, has
/// nothing to protect. One that has lost pods since its rollout ended holds nobody up: the change may be its remedy.
struct RolloutLine {
    /// To be applied, in this order.
    private(set) var due: [JSON] = []
    /// To be left as they are until others are rolled out.
    private(set) var kept: [JSON] = []
    /// The services that may have pods without their present template, by the names of their objects.
    private var unfinished: Set<String> = []
    private var digests: [(service: TodoApp.ServiceName, deployment: String, digest: String)] = []

    /// - Parameters:
    ///   - objects: the services' objects. Those that are no Deployments are due as they are.
    ///   - live: the Deployments that there are, by name.
    init(of app: TodoApp, _ objects: [JSON], live: [String: JSON]) {
        let services = app.services.reduce(into: [:]) { $0[AppNames(app).service($1)] = $1 }
        var isFree = true
        for object in objects {
            guard object["kind"]?.string == DesiredState.deploymentType.kind,
                let name = object.at("metadata", "name")?.string, let service = services[name]
            else {
                due.append(object)
                continue
            }
            let digest = Self.digest(of: object.at("spec", "template") ?? .null)
            var deployment = object
            deployment.set(.string(digest), at: "metadata", "annotations", Label.templateDigest)
            digests.append((service, name, digest))
            let isChanged = Self.isOutdated(live[name], digest)
            let progress = live[name].map(DeploymentProgress.init)
            if let progress, isChanged || !progress.isRolledOut && progress.total > 0 { unfinished.insert(name) }
            let isProtected = app.spec.upgradePolicy == .paced && progress.map { $0.ready > 0 } ?? false
            if isChanged, isProtected, !isFree {
                kept.append(deployment)
            } else {
                due.append(deployment)
                if isChanged || progress.map({ !$0.isRolledOut }) ?? false { isFree = false }
            }
        }
    }

    /// Lets the pods of before go on to where they are connected, until the last of a service is replaced: each NetworkPolicy
    /// that is due also has the ports that the live one has open to everywhere. Those follow what a spec or a Secret names,
    /// such as the port of a database.
    /// - Parameter live: the NetworkPolicy of that name.
    mutating func keepPortsOpen(_ live: (String) async throws -> JSON?) async throws {
        for (index, object) in due.enumerated() {
            guard object["kind"]?.string == DesiredState.networkPolicyType.kind,
                let name = object.at("metadata", "name")?.string, unfinished.contains(name)
            else { continue }
            var rules = object.at("spec", "egress")?.array ?? []
            for rule in try await live(name)?.at("spec", "egress")?.array ?? []
            where rule["ports"] != nil && rule["to"] == nil && !rules.contains(rule) {
                rules.append(rule)
            }
            due[index].set(.array(rules), at: "spec", "egress")
        }
    }

    /// Those whose Deployments were not given their present template: it is not their turn, or it could not be done.
    func waiting(in live: [String: JSON]) -> [TodoApp.ServiceName] {
        digests.filter { Self.isOutdated(live[$0.deployment], $0.digest) }.map(\.service)
    }

    /// One without a digest was made by an earlier release; templates are the same in every release.
    private static func isOutdated(_ deployment: JSON?, _ digest: String) -> Bool {
        let given = deployment.flatMap { KubernetesObject($0).annotations[Label.templateDigest] }
        return given.map { $0 != digest } ?? false
    }

    /// The same in every release, and whatever the order of members.
    private static func digest(of template: JSON) -> String {
        SHA256.hash(data: template.encoded(sortedKeys: true)).hexadecimal(8)
    }
}

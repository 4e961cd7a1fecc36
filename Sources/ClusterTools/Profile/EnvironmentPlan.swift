/// The Python environment that jobs run in: what it is made from, and where. See `templates/environment`.
public struct EnvironmentPlan: Sendable, Equatable {
    public enum Place: String, Sendable, CaseIterable {
        /// By the job, where it runs.
        case job
        /// On the access node, before there is a job: where workers have no way to the packages.
        case access
    }

    /// What it is made from, as a path in the repository; nil for what is found there.
    public var file: String?
    public var place: Place

    public init(file: String? = nil, place: Place = .job) {
        self.file = file
        self.place = place
    }
}

extension JSONField {
    /// What a profile says of environments: `true`, a file, or an object with both of these and where it is made.
    func environmentPlan() throws(Failure) -> EnvironmentPlan? {
        switch value {
        case .bool(let isWanted): return isWanted ? EnvironmentPlan() : nil
        case .string: return EnvironmentPlan(file: try pathInRepository())
        case .object:
            var plan = EnvironmentPlan()
            for (key, field) in try members() {
                switch key {
                case "file": plan.file = try field.pathInRepository()
                case "build": plan.place = try field.choice(of: EnvironmentPlan.Place.self)
                default: throw field.unknown(among: ["file", "build"])
                }
            }
            return plan
        default: throw mismatch(expected: "true, false, the path of a file or an object")
        }
    }

    private func pathInRepository() throws(Failure) -> String {
        let path = try word()
        guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
            throw failure(
                "\"\(path)\" is no path in the repository", remedy: "as in \"requirements.txt\" or \"env/gpu.yml\"")
        }
        return path
    }
}

/// A job's record as a JSON document that a person can read.
extension Job {
    /// What this program writes. A record with a higher number is a later program's, which may mean something else by it.
    static let recordVersion = 2

    /// The record's text.
    var record: [UInt8] {
        func text(_ value: String?) -> JSONValue? { value.map { .string($0) } }
        func number(_ value: Int?) -> JSONValue? { value.map { .number("\($0)") } }
        let members: [(String, JSONValue?)] = [
            ("version", number(Self.recordVersion)), ("token", text(token)), ("id", text(id)), ("name", text(name)),
            ("phase", text(phase.rawValue)), ("command", .array(command.map { .string($0) })), ("run", text(run)),
            ("submitted", number(submitted)), ("node", text(node)), ("ended", number(ended)),
            ("ending", ending?.json), ("seen", seen?.json), ("pulled", number(pulled)),
            ("repository", text(repository)), ("commit", text(commit)), ("reference", text(reference)),
            ("isArray", .bool(isArray)),
            ("hasTensorBoard", .bool(hasTensorBoard)),
            ("isNotebook", isNotebook ? .bool(true) : nil), ("project", text(project)), ("runName", text(runName)),
            ("plan", plan?.json), ("profilePath", text(profilePath)), ("profile", profile),
        ]
        let object = JSONValue.object(members.compactMap { name, value in value.map { .init(name, $0) } })
        return Array((object.indented + "\n").utf8)
    }

    /// Reads a record.
    ///
    /// - Parameter document: its path.
    /// - Throws: when it is none, or a later version's. Members that are not known do not matter.
    init(record: [UInt8], document: String) throws(Failure) {
        let top = try RecordReader(JSONField(parsing: record, document: document, status: Exit.dataError))
        let version = try top.number("version") ?? 1
        guard version <= Self.recordVersion else {
            throw Failure(
                Exit.dataError, "\(document) was written by a later version", remedy: "update this program")
        }
        token = try top.required("token").word()
        name = try top.required("name").string()
        phase = try top.required("phase").choice(of: Phase.self)
        id = try top.text("id")
        run = try top.text("run")
        runName = try top.required("runName").string()
        project = try top.required("project").string()
        profilePath = try top.text("profilePath")
        profile = top["profile"]?.value
        commit = try top.required("commit").string()
        reference = try top.text("reference")
        repository = try top.required("repository").string()
        command = []
        for word in try top.required("command").elements() { command.append(try word.string()) }
        isArray = try top["isArray"]?.boolean() ?? false
        hasTensorBoard = try top["hasTensorBoard"]?.boolean() ?? false
        isNotebook = try top["isNotebook"]?.boolean() ?? false
        if let field = top["plan"] { plan = try JobPlan(field) }
        submitted = try top.number("submitted") ?? 0
        ended = try top.number("ended")
        node = try top.text("node")
        pulled = try top.number("pulled")
        if let field = top["ending"] { ending = try Ending(field) }
        if let field = top["seen"] {
            let seen = try RecordReader(field)
            self.seen = Sighting(words: try seen.required("words").string(), at: try seen.number("at") ?? 0)
        }
    }
}

extension Job.Sighting {
    fileprivate var json: JSONValue { .object([.init("words", .string(words)), .init("at", .number("\(at)"))]) }
}

extension Ending {
    fileprivate var json: JSONValue {
        let members: [(String, JSONValue?)] = [
            ("cause", .string(cause.rawValue)), ("status", status.map { .number("\($0)") }),
            ("state", state.map { .string($0) }), ("problem", problem.map { .string($0) }),
        ]
        return .object(members.compactMap { name, value in value.map { .init(name, $0) } })
    }

    fileprivate init(_ field: JSONField) throws(Failure) {
        let members = try RecordReader(field)
        self.init(
            cause: try members.required("cause").choice(of: Cause.self),
            status: try members.number("status").map(Int32.init(clamping:)), state: try members.text("state"),
            problem: try members.text("problem"))
    }
}

/// The members of an object, by their names.
struct RecordReader {
    private let field: JSONField
    private let members: [String: JSONField]

    init(_ field: JSONField) throws(Failure) {
        self.field = field
        members = Dictionary(
            uniqueKeysWithValues: try field.members().filter { $0.field.value != .null }.map { ($0.name, $0.field) })
    }

    subscript(name: String) -> JSONField? { members[name] }

    func required(_ name: String) throws(Failure) -> JSONField {
        guard let member = members[name] else { throw field.failure("there is no \"\(name)\"") }
        return member
    }

    func text(_ name: String) throws(Failure) -> String? { try members[name]?.string() }

    func number(_ name: String) throws(Failure) -> Int? { try members[name]?.integer(in: Int.min...Int.max) }
}

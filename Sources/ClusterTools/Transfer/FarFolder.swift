import IO
import Slurm
import Templates

/// A folder on the far side, and what lies below it; see `templates/remote/files.sh`.
struct FarFolder: Sendable, Equatable {
    private let profile: Profile
    /// What the remote program needs to find it.
    private let definitions: String
    /// For a person.
    let name: String

    /// - Parameter path: absolute.
    init(path: String, of profile: Profile) {
        self.profile = profile
        name = path
        definitions = "ct_variables=\nct_root() { printf %s \(ShellWord.quote(path)); }\n"
    }

    /// - Parameter text: absolute, or below the home folder there; it may begin with `~` or `$NAME`.
    init(_ text: RemoteText, of profile: Profile) {
        self.profile = profile
        name = text.text
        let isRooted = text.text.hasPrefix("/") || text.text.hasPrefix("~") || text.text.hasPrefix("$")
        let word = isRooted ? text.shellExpression() : #""${HOME:?is not set}/""# + text.shellExpression()
        // Here the user's environment is ours already, and HOME is known without a login.
        let variables = profile.hostname == nil ? [] : text.variables.filter { $0 != "HOME" }
        definitions = "ct_variables='\(variables.joined(separator: " "))'\nct_root() { printf %s \(word); }\n"
    }

    static func == (a: FarFolder, b: FarFolder) -> Bool { a.definitions == b.definitions }

    // MARK: Looking

    /// What lies at paths and below them.
    ///
    /// - Parameters:
    ///   - paths: one with a slash at its end is followed when it is a symbolic link.
    ///   - mayLack: whether the folder need not be there.
    func list(_ paths: [[UInt8]], mayLack: Bool = false, on host: any Host) async throws -> [FileEntry] {
        let definitions = "ct_may_lack=\(mayLack ? "yes" : "")\n"
        return try await exchange("list", definitions, input: Self.words(paths.map(Self.below)), on: host) {
            conversation in
            var parser = ListingParser()
            var entries: [[UInt8]: FileEntry] = [:]
            while case let bytes = try await conversation.data(), !bytes.isEmpty {
                for entry in try parser.feed(bytes) { entries[entry.path] = entry }
            }
            guard parser.isComplete else {
                throw ConversationEnded(description: "the list of files on \(host.name) ended early")
            }
            return Array(entries.values)
        }
    }

    // MARK: Reading

    /// Sends whole files as tar archives, one after the other.
    ///
    /// - Parameter body: reads ``Conversation/data()`` to its end. A file that cannot be read is not in it.
    func read<R: Sendable>(
        _ paths: [[UInt8]], on host: any Host, _ body: (Conversation) async throws -> R
    ) async throws -> R {
        try await exchange("read", "", input: Self.words(paths.map(Self.below)), on: host, body)
    }

    /// Sends the rest of files; see `ct_parts` there for the form.
    ///
    /// - Parameter files: the files, and how much of each is known.
    func readParts<R: Sendable>(
        _ files: [(entry: FileEntry, offset: Int)], on host: any Host, _ body: (Conversation) async throws -> R
    ) async throws -> R {
        let words = files.flatMap { file in
            [Array("\(file.offset)".utf8), Array("\(file.entry.size)".utf8), Self.below(file.entry.path)]
        }
        return try await exchange("parts", "", input: Self.words(words), on: host, body)
    }

    // MARK: The program

    static func below(_ path: [UInt8]) -> [UInt8] { [UInt8(ascii: "."), BytePath.slash] + path }

    static func words(_ words: [[UInt8]]) -> [UInt8] { words.flatMap { $0 + [0] } }

    /// Starts the program, gives it its input, and hands its data on as soon as it says that there is some.
    private func exchange<R: Sendable>(
        _ action: String, _ more: String, input: [UInt8], on host: any Host,
        _ body: (Conversation) async throws -> R
    ) async throws -> R {
        try await Conversation.with(program(action, more), on: host) { conversation in
            // It may tell much before it has read all.
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await conversation.sendIfTaken(input)
                    try await conversation.finishSending()
                }
                defer { group.cancelAll() }
                let answer = try await conversation.answer()
                if let failure = answer.failure(on: host.name) { throw failure }
                return try await body(conversation)
            }
        }
    }

    func program(_ action: String, _ more: String) -> RemoteProgram {
        RemoteProgram(.files, of: profile, definitions: definitions + "ct_do=\(action)\n" + more)
    }
}

extension Conversation {
    /// As ``send(_:)``, but a receiver that takes no more is no error: its answer says why.
    ///
    /// - Returns: whether it was taken.
    @discardableResult
    func sendIfTaken(_ bytes: [UInt8]) async throws -> Bool {
        do {
            try await send(bytes)
            return true
        } catch  where !isLinkLoss(error) && !(error is CancellationError) {
            return false
        }
    }
}

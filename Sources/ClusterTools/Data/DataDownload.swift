import IO
import Slurm
import Templates

/// Lets a cluster download files into the folder for data of a project, and tells how far they are; see
/// `templates/remote/data.sh`. A lost link ends it there, and the next login goes on with what has come.
///
/// Who owns what: it belongs to one task.
final class DataDownload {
    enum Outcome: Sendable, Equatable {
        case fetched(bytes: Int)
        case present
        /// It is not what its checksum says.
        case differs(String)
        case failed(String)
    }

    private let sources: [DataSource]
    private let project: String
    private let profile: Profile
    private let console: Console
    private let use: LinkUse
    /// Tells our programs from those of others.
    private let session = randomName(length: 12)
    private var progress = TransferProgress()
    /// How far each file has come.
    private var sizes: [Int]
    private var totals: [Int]
    private(set) var outcomes: [Int: Outcome] = [:]
    private(set) var folder = ""

    init(
        _ sources: [DataSource], project: String, profile: Profile, console: Console, use: LinkUse
    ) {
        self.sources = sources
        self.project = project
        self.profile = profile
        self.console = console
        self.use = use
        sizes = sources.map { _ in 0 }
        totals = sizes
    }

    func run(on host: any Host) async throws {
        let wanted = sources.indices.filter { outcomes[$0] == nil }
        let definitions = "ct_project=\(ShellWord.quote(project))\nct_session=\(session)\n"
        let program = RemoteProgram(.data, of: profile, root: RunRoot(of: profile), definitions: definitions)
        try await Conversation.with(program, on: host) { conversation in
            let lines = wanted.flatMap { [sources[$0].name, sources[$0].sha256 ?? "-", sources[$0].url] }
            try await conversation.sendIfTaken(Array((lines.joined(separator: "\n") + "\n").utf8))
            try await conversation.finishSending()
            while true {
                let answer = try await conversation.answer()
                if let failure = answer.failure(on: host.name) { throw failure }
                use.prove()
                take(answer, wanted)
                if answer.outcome == "all" { break }
            }
        }
        console.endProgress()
    }

    /// - Parameter wanted: the files that the far side counts.
    private func take(_ answer: Answer, _ wanted: [Int]) {
        if let path = answer["folder"] { folder = path }
        for line in answer.all("size") {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            guard numbers.count == 3, wanted.indices.contains(numbers[0]) else { continue }
            let index = wanted[numbers[0]]
            totals[index] = numbers[2]
            advance(index, to: numbers[1])
        }
        for line in answer.all("file") {
            let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            guard words.count >= 2, let number = Int(words[0]), wanted.indices.contains(number) else { continue }
            end(wanted[number], String(words[1]), words.count > 2 ? String(words[2]) : "")
        }
        if let line = progress.line("fetching", at: .now) { console.progress(line) }
    }

    private func advance(_ index: Int, to size: Int) {
        let grown = size - sizes[index]
        sizes[index] = size
        // What was there when we came was not carried now; what is begun anew does not count twice.
        if grown > 0 { progress.add(grown, at: .now) }
        progress.begin(
            files: sources.count - outcomes.count, bytes: zip(totals, sizes).reduce(0) { $0 + max(0, $1.0 - $1.1) })
    }

    private func end(_ index: Int, _ word: String, _ detail: String) {
        let name = sources[index].name
        progress.endFile()
        switch word {
        case "fetched":
            let bytes = Int(detail) ?? sizes[index]
            outcomes[index] = .fetched(bytes: bytes)
            console.report(.note("fetched \(name), \(byteCount(bytes))"))
        case "present":
            outcomes[index] = .present
            console.report(.note("\(name) was there already"))
        case "differs":
            outcomes[index] = .differs(detail)
            console.report(.warning("\(name) is not what was expected, and was removed: \(detail)"))
        default:
            outcomes[index] = .failed(detail)
            console.report(.warning("\(name) could not be fetched: \(TerminalText.line(detail))"))
        }
    }
}

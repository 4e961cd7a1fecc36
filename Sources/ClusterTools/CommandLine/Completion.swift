import Git

/// What can come next on a command line, from the same tables as parsing and help. What there is of jobs and profiles is read
/// from this machine alone: whoever presses a key does not wait for a network.
struct Completion: Sendable {
    struct Candidate: Sendable, Equatable {
        var text: String
        var meaning: String
    }

    /// What the shell is to complete by itself.
    enum Rest: Sendable, Equatable {
        case nothing
        case files
        /// Another command, which begins at this word; the program itself is word 0.
        case command(at: Int)
    }

    struct Answer: Sendable, Equatable {
        var candidates: [Candidate] = []
        var rest = Rest.nothing
    }

    /// What there is on this machine.
    struct Inventory: Sendable {
        var jobs: @Sendable () -> [Job] = { [] }
        var profiles: @Sendable () -> [String] = { [] }
        var branches: @Sendable () -> [String] = { [] }
    }

    let inventory: Inventory

    /// More than fits a screen helps nobody.
    private static let longestList = 200

    /// - Parameters:
    ///   - program: `submit` or `cluster`, perhaps with its folder.
    ///   - words: what was typed after it; the last one, which may be empty, is to be completed.
    func answer(to program: String, _ words: [String]) -> Answer {
        let word = words.last ?? ""
        let words = words.isEmpty ? [word] : words
        var answer = LocalPath.name(of: program) == "submit" ? submit(words) : cluster(words)
        answer.candidates = answer.candidates.filter { $0.text.hasPrefix(word) }
        return answer
    }

    private func submit(_ words: [String]) -> Answer {
        switch Invocation.table.position(in: words, operands: .endOptions) {
        case .option(let candidates): return Answer(candidates: candidates)
        case .value(let placeholder, let before): return value(placeholder, before)
        case .operand(_, let index): return Answer(rest: .command(at: index + 1))
        }
    }

    private func cluster(_ words: [String]) -> Answer {
        let verbs = ClusterCommand.verbs
        switch ClusterCommand.table.position(in: words, operands: .endOptions) {
        case .option(let candidates): return Answer(candidates: candidates)
        case .value(let placeholder, let before): return value(placeholder, before)
        case .operand(_, let index):
            if index == words.count - 1 {
                return Answer(
                    candidates: verbs.map { Candidate(text: $0.name, meaning: $0.summary) }
                        + [Candidate(text: "help", meaning: "all about a verb")])
            }
            let rest = Array(words[(index + 1)...])
            if words[index] == "help" {
                return Answer(candidates: verbs.map { Candidate(text: $0.name, meaning: $0.summary) })
            }
            guard let verb = verbs.first(where: { $0.name == words[index] }) else { return Answer() }
            switch verb.table.position(in: rest, operands: verb.parsing) {
            case .option(let candidates): return Answer(candidates: candidates)
            case .value(let placeholder, let before): return value(placeholder, before)
            case .operand(let count, _):
                // The words of a command there are nothing that is known here.
                if verb.parsing == .endOptionsAtSecond, count > 0 { return Answer() }
                guard count < verb.operandCount.upperBound else { return Answer() }
                return verb.words.isEmpty
                    ? value(verb.operands, "", for: verb)
                    : Answer(
                        candidates: verb.words.map { Candidate(text: $0, meaning: "") })
            }
        }
    }

    /// What can stand for a placeholder of the help.
    ///
    /// - Parameter before: what stands before it in the same word, such as `--cluster=`.
    private func value(_ placeholder: String, _ before: String, for verb: Verb? = nil) -> Answer {
        func candidates(_ pairs: [(String, String)]) -> [Candidate] {
            pairs.map { Candidate(text: before + $0, meaning: $1) }
        }
        if placeholder.contains("JOB") {
            // What has ended can be neither cancelled nor followed.
            let jobs = inventory.jobs().filter { verb?.name != "cancel" || $0.phase != .ended }.prefix(Self.longestList)
            var names: Set<String> = []
            let named = jobs.filter { names.insert($0.name).inserted }
            return Answer(
                candidates: candidates(jobs.map { ($0.title, Self.words(about: $0)) })
                    + candidates(named.map { ($0.name, "the newest of this name: \($0.title)") }))
        }
        switch placeholder {
        // A verb's own; a name to give is nobody's yet.
        case _ where verb != nil && placeholder.hasPrefix("[NAME"):
            return Answer(candidates: candidates(inventory.profiles().map { ($0, "profile") }))
        case "PATH...": return Answer(rest: .files)
        case "[PAGE]":
            let pages = [("submit", Invocation.help.summary)] + ClusterCommand.verbs.map { ($0.name, $0.summary) }
            return Answer(candidates: candidates(pages))
        case "PROFILE":
            return Answer(
                candidates: candidates(inventory.profiles().map { ($0, "profile") }),
                rest: before.isEmpty ? .files : .nothing)
        case "BRANCH": return Answer(candidates: candidates(inventory.branches().map { ($0, "branch") }))
        case "DIR": return Answer(rest: before.isEmpty ? .files : .nothing)
        default: return Answer()
        }
    }

    private static func words(about job: Job) -> String {
        let command = TerminalText.cut(TerminalText.line(job.command.joined(separator: " ")), to: 40)
        let ending = job.ending.map { ", \($0.description)" } ?? ""
        return TerminalText.line("\(job.name) on \(job.cluster)\(ending): \(command)")
    }
}

extension Completion.Answer {
    /// As the shells' scripts read it: a line each, a tab before what it means; what the shell is to do begins with a colon.
    var text: String {
        var lines: [String] = []
        for candidate in candidates
        where !candidate.text.utf8.contains(UInt8(ascii: "\n")) && !candidate.text.hasPrefix(":") {
            lines.append(candidate.meaning.isEmpty ? candidate.text : "\(candidate.text)\t\(candidate.meaning)")
        }
        switch rest {
        case .nothing: break
        case .files: lines.append(":files")
        case .command(let index): lines.append(":command \(index)")
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

extension Completion.Inventory {
    /// That of this machine, for somebody who stands in a folder.
    init(_ surroundings: Surroundings) {
        let folder = surroundings.folder
        @Sendable func repository() -> Repository? {
            // Outside of one there is just less to offer, and nobody to tell why.
            do { return try Repository.discover(from: folder) } catch { return nil }
        }
        jobs = { JobStore(environment: surroundings.environment).all().jobs }
        profiles = {
            let configuration = Configuration.folder(environment: surroundings.environment, home: surroundings.home)
            let folders = [repository().map { $0.workTree + "/clusters" }, configuration + "/clusters"].compactMap(
                \.self)
            let names = folders.flatMap { LocalFile.names(in: $0) }.filter { $0.hasSuffix(".json") }
            return Set(names.map { String($0.dropLast(5)) }).sorted()
        }
        branches = {
            do { return try repository()?.branchNames() ?? [] } catch { return [] }
        }
    }
}

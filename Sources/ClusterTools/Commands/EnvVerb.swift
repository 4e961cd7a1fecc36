import IO
import Slurm
import Templates

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Verb {
    static let env = Verb(
        name: "env", operands: "[build | remove KEY...]", words: ["list", "build", "remove"],
        operandCount: 0...Int.max, meansNewest: false,
        summary: "the Python environments that jobs share",
        description: """
            Lists a cluster's environments, makes the one that this repository's files need now ahead of its jobs, on the access \
            node, or removes some: never one that a job uses. Jobs make and use them where the profile has "requirements".
            """,
        examples: [
            .init("cluster env -c fir", "what there is, and which jobs use it"),
            .init("cluster env build -c fir", "so that the next job finds it"),
            .init("cluster env remove -c fir 3f2a91", "by its key, or the beginning of that"),
        ],
        options: [
            .init(.cluster, "c", ["cluster"], .required("PROFILE"), help: "the cluster (default: as for submit)"),
            .init(.branch, "b", ["branch"], .required("BRANCH"), help: "build: for this branch, not the working tree"),
            .init(.yes, "y", ["yes"], help: "remove: do not ask"),
        ]
    ) { call in try await call.untilSignal { try await EnvVerb(call: call).run() } }
}

/// `cluster env`.
struct EnvVerb {
    let call: Verb.Call

    func run() async throws -> Int32 {
        let keys = Array(call.operands.dropFirst())
        let verb = call.operands.first ?? "list"
        switch verb {
        case "list", "build":
            guard let word = keys.first else { break }
            throw Failure(Exit.usage, "env \(verb): \"\(word)\" is one word too many")
        case "remove": guard !keys.isEmpty else { throw Failure(Exit.usage, "env remove: which keys?") }
        default:
            throw Failure(
                Exit.usage, "env: \"\(verb)\" is none of list, build and remove",
                remedy: Suggestion.nearest(to: verb, among: ["list", "build", "remove"]).map { "did you mean \($0)?" })
        }
        if verb == "build" { return try await build() }
        let profile = try call.profileOfOption()
        return try await call.connector(for: profile, keyboard: Keyboard(loop: call.surroundings.loop)).withHost {
            host in
            let program = RemoteProgram(.env, of: profile, root: RunRoot(of: profile), definitions: "")
            return try await Conversation.with(program, on: host) { conversation in
                let ready = try await conversation.answer(within: .seconds(60))
                if let failure = ready.failure(on: host.name) { throw failure }
                let answer = try await conversation.ask("list")
                if let failure = answer.failure(on: host.name) { throw failure }
                let listing = EnvironmentListing(answer)
                guard verb == "remove" else {
                    show(EnvironmentTable(listing: listing, cluster: profile.name, now: time(nil)), host.name)
                    return 0
                }
                return try await remove(try listing.selected(by: keys), conversation, host.name)
            }
        }
    }

    private func show(_ table: EnvironmentTable, _ host: String) {
        if call.console.isJSON {
            for line in table.json() { print(line) }
        } else if let width = TerminalText.width(of: 1) {
            if table.listing.items.isEmpty {
                call.console.report(.note("\(host): no environments in \(table.listing.folder)"))
            } else {
                for line in table.aligned(width: width) { print(line) }
                for line in table.failures() { call.console.report(.note(line)) }
            }
        } else {
            for line in table.tabSeparated() { print(line) }
        }
    }

    private func remove(
        _ items: [EnvironmentListing.Item], _ conversation: Conversation, _ host: String
    ) async throws -> Int32 {
        let size = byteCount(items.reduce(0) { $0 + $1.kilobytes } * 1024)
        let words = items.map(\.key).joined(separator: ", ")
        guard
            try await call.isConfirmed(
                "Remove \(words) (\(size)) on \(host)?",
                orFail: {
                    "env would remove \(words) (\(size)) on \(host), and nobody is there to ask"
                })
        else { return 0 }
        var status: Int32 = 0
        for item in items {
            call.console.progress("removing \(item.key)")
            let answer = try await conversation.ask("remove \(item.key)")
            call.console.endProgress()
            if let failure = answer.failure(on: host) { throw failure }
            if let why = answer["kept"] {
                status = Exit.temporary
                call.console.report(.warning("kept: \(item.key): \(why)"))
            } else {
                call.console.report(.note("removed \(item.key)"))
            }
        }
        return status
    }

    // MARK: Ahead of jobs

    private func build() async throws -> Int32 {
        let order = try order()
        let surroundings = call.surroundings
        let preparation = Preparation { isCancelled in
            var submission = try order.submission("", SbatchOptions(), in: surroundings, isCancelled: isCancelled)
            submission.shipment.needsEnvironment = true
            return submission
        }
        if order.profile.requirements == nil {
            call.console.report(
                .warning("jobs will not use it: the profile \(order.profile.name) has no \"requirements\""))
        }
        let use = LinkUse()
        let link = call.link(for: order.profile, keyboard: Keyboard(loop: surroundings.loop), use: use)
        let console = call.console
        var submission = try await preparation.submission()
        let path: String?
        do {
            path = try await link.keep { host in
                while true {
                    // Another attempt may still be at it there.
                    submission.claim.renew()
                    do {
                        return try await submission.build(on: host) { progress in
                            use.prove()
                            if case .building(let progress) = progress { progress.show(on: console) }
                        }
                    } catch is BaseGone {
                        submission.shipment.plan.forgetBase()
                    }
                }
            }
        } catch {
            _ = try call.removeBranch(of: submission.claim.job)
            throw error
        }
        _ = try call.removeBranch(of: submission.claim.job)
        console.endProgress()
        if let path {
            print(path)
        } else {
            console.report(.note("the files here need no environment"))
        }
        return 0
    }

    /// What a job would be made of now.
    private func order() throws -> Order {
        // The options mean what they mean to submit: it reads them.
        var words: [String] = []
        if let text = call.text(.cluster) { words.append("--cluster=\(text)") }
        if let text = call.text(.branch) { words.append("--branch=\(text)") }
        guard
            case .submit(let invocation) = try InvocationRequest.parse(
                (words + ["cluster", "env", "build"]).map { Array($0.utf8) })
        else { preconditionFailure("options and a command are a submission") }
        return try Order(invocation, nil, call.surroundings, call.console)
    }
}

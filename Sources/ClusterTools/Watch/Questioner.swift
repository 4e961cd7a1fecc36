/// Asks what to do with a job when the user presses Ctrl-C or the link is down.
struct Questioner: Sendable {
    /// What it reacts to.
    enum Message: Sendable, Equatable {
        case signal(Interrupts.Signal)
        case linkLost
        case linkBack
        /// The next login needs a person, and waits for one.
        case loginNeeded
        /// The job has ended: there is nothing left to ask.
        case jobEnded
        /// A login needs the keyboard.
        case loginAsks
        /// A line from the keyboard; nil when it is closed.
        case typed(String?)
    }

    /// What the user chose, once it ends the watch.
    enum Choice: Sendable, Equatable {
        case detach
        /// The process was asked to go.
        case leave(Interrupts.Signal)
    }

    let watch: JobWatch
    let keyboard: Keyboard
    let console: Console
    let mailbox: Mailbox<Message>
    /// Lets a login that needs a person begin.
    let retryLogin: @Sendable () -> Void

    /// What a question is about.
    private enum Occasion {
        case interrupt, linkLoss
        /// There is no link until the user is there to log in.
        case loginNeeded
    }

    /// Waits for something to react to, until the user leaves the job.
    func run() async throws -> Choice {
        while true {
            switch try await mailbox.take() {
            case .signal(.interrupt):
                if await watch.isLingering {
                    // The command has ended; only TensorBoard is still there, until Ctrl-C.
                    guard await !watch.wasCancelled else { return .detach }
                    await watch.cancel()
                } else {
                    guard keyboard.isPresent, !keyboard.isWantedByLogin.value else { return .detach }
                    // The terminal shows ^C in the line where the cursor is.
                    console.breakLine()
                    if let choice = try await ask(.interrupt) { return choice }
                }
            case .signal(let signal): return .leave(signal)
            case .linkLost:
                guard keyboard.isPresent else { break }
                // What was typed before there was a question is no answer. Ctrl-C makes the terminal drop it by itself.
                keyboard.discardTypedAhead()
                if let choice = try await ask(.linkLoss) { return choice }
            case .loginNeeded:
                if let choice = try await ask(.loginNeeded) { return choice }
            case .linkBack, .jobEnded, .loginAsks, .typed: break
            }
        }
    }

    /// Asks once, and again as long as the answer is none.
    ///
    /// - Returns: nil when watching goes on.
    private func ask(_ occasion: Occasion) async throws -> Choice? {
        guard await watch.ending == nil else { return nil }
        await watch.pauseOutput(true)
        let choice = try await answer(occasion)
        await watch.pauseOutput(false)
        return choice
    }

    private func answer(_ first: Occasion) async throws -> Choice? {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var occasion = first
            func show() {
                let login = occasion == .loginNeeded ? "Enter logs in again. " : ""
                console.ask("\(login)Cancel job \(watch.id)? [y/N/d] ")
            }
            func readAnswer() {
                show()
                group.addTask { mailbox.post(.typed(try await keyboard.readLine())) }
            }
            defer {
                // In this order: with the keyboard free, a login may put its own question there.
                console.endQuestion(isAnswered: false)
                group.cancelAll()
            }
            group.addTask {
                _ = try await keyboard.isWantedByLogin.first { $0 ? true : nil }
                mailbox.post(.loginAsks)
            }
            readAnswer()
            while true {
                switch try await mailbox.take() {
                case .typed(let line):
                    console.endQuestion(isAnswered: line != nil)
                    switch line?.lowercased().first {
                    case "y":
                        await watch.cancel()
                        if occasion == .loginNeeded { retryLogin() }
                        return nil
                    case "d": return .detach
                    case nil where line == nil: return .detach
                    case nil, "n":
                        if occasion == .loginNeeded { retryLogin() }
                        return nil
                    default: readAnswer()
                    }
                case .signal(.interrupt): return .detach
                case .signal(let signal): return .leave(signal)
                case .linkLost:
                    if occasion == .interrupt { occasion = .linkLoss }
                case .loginNeeded:
                    occasion = .loginNeeded
                    console.endQuestion(isAnswered: false)
                    show()
                case .linkBack:
                    guard occasion != .interrupt else { break }
                    return nil
                case .jobEnded, .loginAsks: return nil
                }
            }
        }
    }
}

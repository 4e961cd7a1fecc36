/// Decides what follows when a connection is lost or cannot be made. A value without I/O: it is told what happened, and says
/// what to do.
struct Reconnection {
    /// What has just failed.
    enum Trouble: Equatable {
        /// The connection broke, or there is none to be had now.
        case link
        /// The host would not let us in, or is not the one it should be: trying soon again would help nobody, and a site that
        /// counts failed logins might lock the account.
        case refusal
        /// As `refusal`, in a login that needed a person: it must not come again and again by itself.
        case personNeeded
    }

    enum Action: Equatable {
        case retry(after: Duration)
        /// Once the user says so.
        case waitForUser
        case giveUp
    }

    /// Whether there was a connection, and is none now.
    private(set) var isDown = false
    private var hasBeenUp = false
    /// Before the first attempt after a loss: what has cut the connection has often gone by then.
    private static let moment = Duration.milliseconds(100)
    /// Between attempts while nobody answers.
    private var pace = Pace(first: .milliseconds(500), limit: .seconds(30), factor: 1.5)
    /// Between logins at a host that lets one in and hangs up at once: it is not to be hammered.
    private var loginPace = Pace(first: .milliseconds(500), limit: .seconds(30), factor: 2)
    private var patience = Pace(first: .seconds(30), limit: .seconds(300), factor: 2)

    /// There is a connection.
    ///
    /// - Returns: whether it replaces one that was lost.
    mutating func succeeded() -> Bool {
        defer { isDown = false }
        hasBeenUp = true
        patience.quicken()
        return isDown
    }

    /// The connection is lost, or an attempt has failed.
    ///
    /// - Parameters:
    ///   - wasOfUse: whether anything was got over it.
    ///   - canAsk: whether there is somebody to say when to try again.
    mutating func failed(_ trouble: Trouble, wasOfUse: Bool, canAsk: Bool) -> Action {
        // What never worked is a mistake in the profile more often than a fault of the network.
        guard hasBeenUp else { return .giveUp }
        let wasUp = !isDown
        isDown = true
        if wasOfUse {
            pace.quicken()
            loginPace.quicken()
        }
        switch trouble {
        case .link where wasUp: return .retry(after: wasOfUse ? Self.moment : loginPace.next())
        case .link: return .retry(after: pace.next())
        case .refusal: return .retry(after: patience.next())
        case .personNeeded: return canAsk ? .waitForUser : .giveUp
        }
    }

    /// Something says that the next attempt may fare better, such as a network that is back.
    mutating func encourage() { pace.quicken() }
}

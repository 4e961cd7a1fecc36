/// How an earlier login to the same host went, so that the next one need not ask: it saves three round trips.
///
/// Without it the client waits until the server has agreed to log anybody in, then asks which methods there are, then offers a key,
/// then proves it, and only then opens a channel. With it the key is offered along with the request for the login, nobody asks for
/// methods, and the request for the first channel travels with the proof. RFC 4252, section 5.1, says that a server has to keep
/// such requests until it has let the user in.
///
/// A guess that turns out wrong costs a refused key, or a connection: it is never worse than that, and never tried twice.
public struct LoginGuess: Sendable, Equatable {
    /// The fingerprint of the key that sufficed, as in ``HostKey/fingerprint``.
    public var key: String

    /// Whether commands will be run there, which need a channel.
    public var opensChannel: Bool

    public init(key: String, opensChannel: Bool = true) {
        self.key = key
        self.opensChannel = opensChannel
    }
}

/// What a login tells about the next one to the same host.
public enum LoginLesson: Sendable, Equatable {
    /// This key, by its fingerprint, was all that the server wanted.
    case keySufficed(String)
    /// It took something else, or more.
    case tookMore
    /// The guess was wrong in a way that cost a connection: better not to guess for a while.
    case guessFailed
}

extension Route {
    /// The same way, with every login from its beginning.
    var withoutGuesses: Route {
        var route = self
        route.destination.login.guess = nil
        for index in route.jumpHosts.indices { route.jumpHosts[index].login.guess = nil }
        return route
    }
}

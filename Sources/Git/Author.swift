internal import CGit2

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Who makes a commit.
public struct Author: Sendable, Equatable {
    public var name: String
    public var email: String

    public init(name: String, email: String) {
        self.name = name
        self.email = email
    }

    /// The user of this machine, as the system knows them.
    static func systemUser() -> Author {
        let user = getpwuid(geteuid()).map { String(decoding: bytes(of: $0.pointee.pw_name), as: UTF8.self) } ?? "user"
        var host = [CChar](repeating: 0, count: 256)
        let known = gethostname(&host, host.count - 1) == 0
        let name = known ? String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : ""
        return Author(name: user, email: "\(user)@\(name.isEmpty ? "localhost" : name)")
    }

    private static func bytes(of text: UnsafePointer<CChar>) -> UnsafeBufferPointer<UInt8> {
        let length = strlen(text)
        return UnsafeBufferPointer(start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: length)
    }

    /// As a commit has it: without the characters that end a name, an address or the line.
    fileprivate var line: String { "\(Self.cleaned(name, or: "unknown")) <\(Self.cleaned(email, or: "unknown"))>" }

    private static func cleaned(_ text: String, or fallback: String) -> String {
        let kept = text.unicodeScalars.filter { $0 != "<" && $0 != ">" && $0.value >= 0x20 }
        let trimmed = kept.drop { $0 == " " }
        let end = trimmed.lastIndex { $0 != " " }
        guard let end else { return fallback }
        return String(String.UnicodeScalarView(trimmed[...end]))
    }
}

/// A moment of the local clock.
struct Moment {
    /// Since 1970.
    let seconds: Int
    private let local: tm

    static func now() -> Moment {
        var seconds = time(nil)
        var local = tm()
        localtime_r(&seconds, &local)
        return Moment(seconds: seconds, local: local)
    }

    /// `20260131-235959`
    var stamp: String {
        let year = pad(local.tm_year + 1900, 4)
        return "\(year)\(pad(local.tm_mon + 1, 2))\(pad(local.tm_mday, 2))"
            + "-\(pad(local.tm_hour, 2))\(pad(local.tm_min, 2))\(pad(local.tm_sec, 2))"
    }

    /// `+0130`: how far local time is ahead of universal time.
    var zone: String {
        let minutes = abs(local.tm_gmtoff) / 60
        return (local.tm_gmtoff < 0 ? "-" : "+") + pad(Int32(minutes / 60), 2) + pad(Int32(minutes % 60), 2)
    }

    private func pad(_ number: Int32, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// A commit as it is stored, made by hand: `git_commit_create` wants its tree to exist, which on a dry run it does not.
struct CommitContents {
    let tree: ObjectID
    let parent: ObjectID?
    let author: Author
    let moment: Moment
    let message: String

    var bytes: [UInt8] {
        let who = "\(author.line) \(moment.seconds) \(moment.zone)"
        var text = "tree \(tree)\n"
        if let parent { text += "parent \(parent)\n" }
        text += "author \(who)\ncommitter \(who)\n\n\(message)"
        if !message.hasSuffix("\n") { text += "\n" }
        // A zero would end the message for git.
        return Array(text.utf8).filter { $0 != 0 }
    }
}

extension Repository {
    /// Who commits here: `user.name` and `user.email`, and for what is missing `fallback` or the system's user.
    func author(fallback: Author?) throws(GitError) -> Author {
        let other = fallback ?? Author.systemUser()
        return Author(
            name: try configuration("user.name") ?? other.name, email: try configuration("user.email") ?? other.email)
    }
}

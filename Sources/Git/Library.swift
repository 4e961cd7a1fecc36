internal import CGit2

/// libgit2 itself: started once, asked for the reason of every failure.
enum Library {
    /// Repository extensions that change nothing for a reader who writes only loose objects and one reference.
    private static let harmlessExtensions = ["partialclone", "preciousobjects", "relativeworktrees", "worktreeconfig"]

    private static let started: Result<Void, GitError> = Result { () throws(GitError) in
        let count = git_libgit2_init()
        try check(count < 0 ? count : 0, "libgit2 does not start")
        // A partial clone has trees that name blobs it lacks, and they must stay in the tree that is written.
        try check(cgit2_set_strict_object_creation(0), "libgit2 does not take its settings")
        // Reading a repository of a gigabyte must not take a gigabyte: by itself it maps pack files whole.
        try check(cgit2_set_mapping(4 << 20, 16 << 20), "libgit2 does not take its settings")
        try check(setExtensions(), "libgit2 does not take its settings")
    }

    /// Must come before any other call of libgit2; does its work the first time only.
    static func start() throws(GitError) { try started.get() }

    /// Turns libgit2's return code into an error whose message is `doing` and the library's own reason.
    static func check(_ result: Int32, _ doing: @autoclosure () -> String) throws(GitError) {
        guard result < 0 else { return }
        throw failure(result, doing())
    }

    /// The error for a code that has been found to be one.
    static func failure(_ result: Int32, _ doing: String) -> GitError {
        let last = git_error_last()
        let code: GitError.Code =
            switch result {
            case GIT_EOWNER.rawValue: .foreignOwner
            case GIT_ERROR.rawValue where last?.pointee.klass == CInt(GIT_ERROR_OS.rawValue): .system
            default: .library(result)
            }
        guard let last, let reason = last.pointee.message else {
            return GitError(code, "\(doing) (libgit2 error \(result))")
        }
        return GitError(code, "\(doing): \(String(cString: reason))")
    }

    private static func setExtensions() -> Int32 {
        withCStrings(harmlessExtensions[...], collected: []) { cgit2_set_extensions($0, harmlessExtensions.count) }
    }

    /// Lends all of `strings` at once, as an array of C strings.
    private static func withCStrings(
        _ strings: ArraySlice<String>, collected: [UnsafePointer<CChar>?],
        _ body: (UnsafeMutablePointer<UnsafePointer<CChar>?>?) -> Int32
    ) -> Int32 {
        guard let first = strings.first else {
            var pointers = collected
            return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress) }
        }
        return first.withCString { withCStrings(strings.dropFirst(), collected: collected + [$0], body) }
    }
}

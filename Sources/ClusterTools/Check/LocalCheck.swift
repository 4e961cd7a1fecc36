#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What submissions need of this machine.
struct LocalCheck {
    let profile: Profile
    let surroundings: Surroundings
    let store: JobStore

    func requirements() -> [Requirement] {
        var all: [Requirement] = []
        all.append(records())
        guard profile.hostname != nil else { return all }
        if let key = profile.sshKey { all.append(keyFile(key)) }
        if let ssh = program("ssh") {
            all.append(.ok("ssh here", "\(ssh), for ~/.ssh/config"))
        } else if profile.transport == .openssh {
            all.append(
                .failure("ssh here", "no ssh in PATH", "install OpenSSH, or remove \"transport\" from the profile"))
        } else {
            all.append(.warning("ssh here", "no ssh in PATH: ~/.ssh/config does not count"))
        }
        return all
    }

    /// Jobs run without records, and nobody finds them again.
    private func records() -> Requirement {
        do {
            try StateFolder(at: store.folder).make()
        } catch {
            return .warning(
                "records here", "\(error)", "make room, or set XDG_STATE_HOME to a folder that can be written")
        }
        return access(store.folder, W_OK) == 0
            ? .ok("records here", store.folder)
            : .warning("records here", "\(store.folder) cannot be written to", "correct its permissions")
    }

    private func keyFile(_ path: String) -> Requirement {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return .failure("ssh key", "\(path) does not exist", "correct \"ssh_key\"", status: Exit.configuration)
        }
        return status.st_mode & 0o077 == 0
            ? .ok("ssh key", path) : .warning("ssh key", "\(path) can be read by others", "chmod 600 \(path)")
    }

    private func program(_ name: String) -> String? {
        (surroundings.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }.first {
            access($0, X_OK) == 0
        }
    }
}

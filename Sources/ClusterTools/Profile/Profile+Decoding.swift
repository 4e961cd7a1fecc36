extension Profile {
    /// Every key that a profile may have, in the order the documentation has them.
    public static let keys = [
        "hostname", "port", "user", "ssh_key", "known_hosts", "transport", "scheduler", "sbatch_options",
        "untar_path", "tar_path", "activate_python", "environment", "template", "requirements", "tunnel",
    ]

    /// Reads the profile at `path`.
    ///
    /// - Parameter home: what a leading `~` in a path on this machine stands for.
    public static func load(_ path: String, home: String) throws(Failure) -> Profile {
        try Profile(json: try LocalFile.contents(of: path, subject: "the profile"), path: path, home: home)
    }

    /// Decodes a profile from the text of the file at `path`. What is wrong with it is said with the file and the place in it.
    public init(json: [UInt8], path: String, home: String) throws(Failure) {
        let top = try JSONField(parsing: json, document: path)
        guard case .object = top.value else { throw top.mismatch(expected: "an object") }
        self.init(name: Self.name(ofFile: path))
        self.path = path
        source = top.value

        let folder = LocalPath.folder(of: path)
        var scheduler: SchedulerKind?
        for (key, field) in try top.members() where field.value != .null {
            switch key {
            case "hostname": hostname = try field.hostname()
            case "port": port = try field.integer(in: 1...65535)
            case "user": user = try field.account()
            case "ssh_key": sshKey = LocalPath.resolve(try field.word(), from: folder, home: home)
            case "known_hosts": knownHosts = LocalPath.resolve(try field.word(), from: folder, home: home)
            case "transport":
                let named = Transport(name: try field.string())
                transport = if let named { named } else { try field.choice(of: Transport.self) }
            case "scheduler": scheduler = try field.choice(of: SchedulerKind.self)
            case "sbatch_options": sbatchOptions = try field.sbatchOptions()
            case "untar_path": untarPath = try field.remotePath()
            case "tar_path": _ = try field.string()
            case "activate_python": activatePython = try field.lines()
            case "environment": environment = try field.environment()
            case "template": template = LocalPath.resolve(try field.word(), from: folder, home: home)
            case "requirements": requirements = try field.environmentPlan()
            case "tunnel": tunnel = try field.tunnel()
            case "password":
                throw field.failure(
                    "a password is not read from a file",
                    why: "anyone who gets the file, or a copy of the repository, would have the account",
                    remedy: "remove it: submit asks for a password when the host wants one; better is a key (ssh_key)")
            default: throw field.unknown(among: Self.keys)
            }
        }
        self.scheduler = scheduler ?? (hostname == nil ? .none : .slurm)
    }
}

extension JSONField {
    fileprivate func hostname() throws(Failure) -> String {
        let name = try word()
        if let at = name.lastIndex(of: "@") {
            throw failure(
                "expected a host name, found \"\(name)\"",
                remedy: "write \"user\": \"\(name[..<at])\" and \"hostname\": \"\(name[name.index(after: at)...])\"")
        }
        return try notAnOption(name, "a host name")
    }

    fileprivate func account() throws(Failure) -> String { try notAnOption(try word(), "the name of an account") }

    /// These words reach ssh's command line, where a dash or a space would make something else of them.
    private func notAnOption(_ name: String, _ expected: String) throws(Failure) -> String {
        guard !name.hasPrefix("-"), !name.utf8.contains(where: { $0 == 0x20 || $0 == UInt8(ascii: "/") }) else {
            throw failure("expected \(expected), found \"\(name)\"")
        }
        return name
    }

    fileprivate func remotePath() throws(Failure) -> RemoteText {
        let path = RemoteText(try word())
        if let piece = path.suspicious {
            throw failure(
                "\(piece) is not expanded here", remedy: "~, ~/folder, $NAME and ${NAME} are, on the cluster")
        }
        return path
    }

    fileprivate func environment() throws(Failure) -> JobEnvironment {
        switch value {
        case .array, .string: return .lines(try lines())
        case .object:
            return .variables(
                try members().map { member throws(Failure) in
                    try member.field.variable(named: member.name)
                })
        default: throw mismatch(expected: "a list of shell lines or an object of variables")
        }
    }

    private func variable(named name: String) throws(Failure) -> JobEnvironment.Variable {
        let isName = { (byte: UInt8) in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
            name.utf8.allSatisfy(isName)
        else { throw failure("\"\(name)\" is no name of a variable") }
        switch value {
        case .string: return JobEnvironment.Variable(name: name, value: RemoteText(try string()))
        case .number(let spelling): return JobEnvironment.Variable(name: name, value: RemoteText(spelling))
        default: throw mismatch(expected: "a string or number")
        }
    }

    fileprivate func tunnel() throws(Failure) -> TunnelPlan {
        if case .string = value { return TunnelPlan(way: try choice(of: TunnelPlan.Way.self)) }
        guard case .object = value else { throw mismatch(expected: "a string or an object") }
        var plan = TunnelPlan()
        for (key, field) in try members() {
            switch key {
            case "way": plan.way = try field.choice(of: TunnelPlan.Way.self)
            case "host": plan.host = try field.notAnOption(try field.word(), "a host name, with %n for the node's")
            case "port": plan.port = try field.integer(in: 1...65535)
            default: throw field.unknown(among: ["way", "host", "port"])
            }
        }
        return plan
    }
}

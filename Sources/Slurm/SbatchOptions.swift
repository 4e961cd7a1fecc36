/// A set of options for sbatch, as one layer (a profile, an `sbatch.json`, a command line) gives them, or as layers put
/// together do: `profile.overridden(by: file).overridden(by: commandLine)`.
public struct SbatchOptions: Sendable, Equatable {
    public enum Value: Sendable, Equatable {
        /// The option's value, with the spelling it was given.
        case text(String)
        /// The option stands alone.
        case flag
        /// The option is not given, even if a layer below gives it.
        case removed
    }

    /// An option and its value.
    public struct Setting: Sendable, Equatable {
        /// The option's long name with its dashes, whichever way the user spelled it.
        public let option: String
        public let value: Value
    }

    /// An option that submit sets itself.
    public struct Ignored: Sendable, Equatable {
        public let option: String
        /// What submit does instead.
        public let reason: String
    }

    /// The settings in the order in which their options were first named, removals among them.
    public private(set) var settings: [Setting] = []
    /// What was asked for and is not done, each to be said once.
    public private(set) var ignored: [Ignored] = []
    /// Options that sbatch's manual does not know. A site's plugin may add such ones, so they are passed on.
    public private(set) var unknown: [String] = []

    public init() {}

    /// Sets what the user wrote under `key`, which has its dashes: `--mem`, `-c`.
    ///
    /// Throws a ``SlurmError`` when there can be no such option or value, and when this layer already set the option.
    public mutating func set(_ key: String, to value: Value) throws(SlurmError) {
        let known = try Self.option(named: key)
        let name = known?.spelling ?? key
        if let known {
            switch known.role {
            case .settable: break
            case .ignored(let reason):
                if !ignored.contains(where: { $0.option == name }) {
                    ignored.append(Ignored(option: name, reason: reason))
                }
                return
            case .refused(let reason):
                throw SlurmError(.refusedOption, "\(name) cannot be used here: \(reason)")
            }
        } else if !unknown.contains(name) {
            unknown.append(name)
        }
        guard self[name] == nil else {
            throw SlurmError(.duplicateOption, "\(name) is given twice, in two spellings")
        }
        settings.append(Setting(option: name, value: try Self.check(value, of: key, known: known)))
    }

    /// These options, with those of `layer` in place of the same ones here.
    public func overridden(by layer: SbatchOptions) -> SbatchOptions {
        var merged = self
        for setting in layer.settings {
            if setting.value != .removed {
                let rivals = SbatchOption.exclusive.filter { $0.contains(String(setting.option.dropFirst(2))) }.joined()
                let replaced = Set(rivals.map { "--" + $0 }).subtracting(layer.settings.map(\.option))
                merged.settings.removeAll { replaced.contains($0.option) }
            }
            if let index = merged.settings.firstIndex(where: { $0.option == setting.option }) {
                merged.settings[index] = setting
            } else {
                merged.settings.append(setting)
            }
        }
        merged.ignored += layer.ignored.filter { new in !ignored.contains { $0.option == new.option } }
        merged.unknown += layer.unknown.filter { !unknown.contains($0) }
        return merged
    }

    /// The value under the option's long name with dashes; nothing when no layer mentions it.
    public subscript(option: String) -> Value? { settings.first { $0.option == option }?.value }

    /// The option's text; nothing when it is not set, or has none.
    public func text(of option: String) -> String? {
        guard case .text(let text) = self[option] else { return nil }
        return text
    }

    /// Whether the job is an array of tasks.
    public var isArray: Bool { text(of: "--array") != nil }

    /// The job's name, if the options give one.
    public var jobName: String? { text(of: "--job-name") }

    // MARK: Checks

    private static func option(named key: String) throws(SlurmError) -> SbatchOption? {
        if let option = SbatchOption.named(key) { return option }
        guard key.hasPrefix("-") else {
            let meant = [key.count == 1 ? "-" + key : "--" + key].first { SbatchOption.named($0) != nil }
            throw SlurmError(
                .badOptionName, "\"\(key)\" is no sbatch option: they start with dashes",
                remedy: meant.map { "write \"\($0)\"" })
        }
        if let sign = key.firstIndex(of: "=") {
            throw SlurmError(
                .badOptionName, "\"\(key)\" has its value in its name",
                remedy: "write \"\(key[..<sign])\": \"\(key[key.index(after: sign)...])\"")
        }
        let name = key.dropFirst(2)
        guard key.hasPrefix("--"), let first = name.utf8.first, isLetter(first), name.utf8.allSatisfy(isNameByte) else {
            let meant = key.hasPrefix("--") ? nil : SbatchOption.named("-" + key)
            throw SlurmError(
                .badOptionName, "sbatch has no option \"\(key)\"", remedy: meant.map { "write \"\($0.spelling)\"" })
        }
        return nil
    }

    private static func check(_ value: Value, of key: String, known: SbatchOption?) throws(SlurmError) -> Value {
        switch value {
        case .removed: return .removed
        case .flag:
            guard known?.argument != .required else {
                throw SlurmError(.badOptionValue, "\(key) needs a value", remedy: "only a flag can be true")
            }
            return .flag
        case .text(let text):
            guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw SlurmError(.badOptionValue, "the value of \(key) has a line break or another control character")
            }
            guard let known, known.argument != .required else { return value }
            // The first version of this tool had no other way to write a flag.
            if text.isEmpty { return .flag }
            guard known.argument == .optional else {
                throw SlurmError(.badOptionValue, "\(key) takes no value", remedy: "write \"\(key)\": true")
            }
            return value
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }
}

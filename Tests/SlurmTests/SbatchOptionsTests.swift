import Testing

@testable import Slurm

struct SbatchOptionsTests {
    private func options(_ settings: (String, SbatchOptions.Value)...) throws -> SbatchOptions {
        var options = SbatchOptions()
        for (key, value) in settings { try options.set(key, to: value) }
        return options
    }

    @Test func shortAndLongAreOneOption() throws {
        for option in SbatchOption.all where option.role == .settable {
            guard let short = option.short else { continue }
            let value: SbatchOptions.Value = option.argument == .none ? .flag : .text("1")
            let profile = try options(("-\(short)", value))
            #expect(profile.settings.map(\.option) == [option.spelling])
            let merged = profile.overridden(by: try options((option.spelling, .removed)))
            #expect(merged.arguments == [])
        }
    }

    @Test func theTableIsConsistent() {
        let spellings = SbatchOption.spellings + SbatchOption.all.compactMap { $0.short.map { "-\($0)" } }
        #expect(Set(spellings).count == spellings.count)
        #expect(SbatchOption.named("-c")?.name == "cpus-per-task")
        #expect(SbatchOption.named("--tasks-per-node")?.name == "ntasks-per-node")
        #expect(SbatchOption.named("mem") == nil)
    }

    @Test func layersOverride() throws {
        let profile = try options(
            ("--mem", .text("12G")), ("-c", .text("4")), ("--gres", .text("gpu:1")), ("-H", .flag))
        let file = try options(("--cpus-per-task", .text("8")), ("--gres", .removed), ("--time", .text("1:00")))
        let commandLine = try options(("-t", .text("2:00")), ("--exclusive", .flag))
        let merged = profile.overridden(by: file).overridden(by: commandLine)
        #expect(merged.arguments == ["--mem=12G", "--cpus-per-task=8", "--hold", "--time=2:00", "--exclusive"])
        #expect(merged.text(of: "--time") == "2:00")
        #expect(merged.text(of: "--hold") == nil)
        #expect(merged["--gres"] == .removed)
        // A later layer may bring back what an earlier one removed.
        #expect(merged.overridden(by: try options(("--gres", .text("gpu:2")))).text(of: "--gres") == "gpu:2")
    }

    @Test func optionsThatExcludeEachOtherReplaceEachOther() throws {
        let profile = try options(("--mem", .text("12G")), ("--requeue", .flag))
        #expect(
            profile.overridden(by: try options(("--mem-per-cpu", .text("2G")))).arguments
                == ["--requeue", "--mem-per-cpu=2G"])
        #expect(
            profile.overridden(by: try options(("--mem-per-cpu", .removed))).arguments == ["--mem=12G", "--requeue"])
        // Within one layer it is for sbatch to complain.
        let both = try options(("--mem", .text("1G")), ("--mem-per-cpu", .text("2G")))
        #expect(profile.overridden(by: both).arguments == ["--mem=1G", "--requeue", "--mem-per-cpu=2G"])
    }

    @Test func whatSubmitSetsItselfIsIgnoredAndSaid() throws {
        let profile = try options(("-o", .text("x.out")), ("--chdir", .text("/")), ("--wait", .flag))
        #expect(profile.arguments == [])
        #expect(profile.ignored.map(\.option) == ["--output", "--chdir", "--wait"])
        #expect(profile.ignored.first?.reason == "standard output goes to slurm.out in the run folder")
        let merged = profile.overridden(by: try options(("--output", .text("y")), ("-e", .text("z"))))
        #expect(merged.ignored.map(\.option) == ["--output", "--chdir", "--wait", "--error"])
    }

    @Test func unknownOptionsArePassedOn() throws {
        let options = try options(("--site-plugin", .text("x")), ("--gpu-mode", .flag))
        #expect(options.arguments == ["--site-plugin=x", "--gpu-mode"])
        #expect(options.unknown == ["--site-plugin", "--gpu-mode"])
    }

    @Test func flagsAndValues() throws {
        #expect(try options(("--exclusive", .flag)).arguments == ["--exclusive"])
        #expect(try options(("--exclusive", .text("user"))).arguments == ["--exclusive=user"])
        #expect(try options(("--exclusive", .text(""))).arguments == ["--exclusive"])
        #expect(try options(("--hold", .text(""))).arguments == ["--hold"])
        #expect(try options(("--comment", .text(""))).arguments == ["--comment="])
    }

    @Test func whatTheJobIs() throws {
        #expect(try options(("-a", .text("0-3"))).isArray)
        #expect(try !options(("-a", .removed)).isArray)
        #expect(try options(("-J", .text("x y"))).jobName == "x y")
    }

    @Test(
        arguments: [
            (
                "mem", .text("1"), .badOptionName,
                "\"mem\" is no sbatch option: they start with dashes (write \"--mem\")"
            ),
            ("c", .text("1"), .badOptionName, "\"c\" is no sbatch option: they start with dashes (write \"-c\")"),
            ("zzz", .text("1"), .badOptionName, "\"zzz\" is no sbatch option: they start with dashes"),
            ("-mem", .text("1"), .badOptionName, "sbatch has no option \"-mem\" (write \"--mem\")"),
            ("-z", .text("1"), .badOptionName, "sbatch has no option \"-z\""),
            ("-c 4", .flag, .badOptionName, "sbatch has no option \"-c 4\""),
            ("--", .flag, .badOptionName, "sbatch has no option \"--\""),
            ("--mem 4G", .flag, .badOptionName, "sbatch has no option \"--mem 4G\""),
            ("--mem=4G", .flag, .badOptionName, "\"--mem=4G\" has its value in its name (write \"--mem\": \"4G\")"),
            ("-t", .flag, .badOptionValue, "-t needs a value (only a flag can be true)"),
            ("--hold", .text("yes"), .badOptionValue, "--hold takes no value (write \"--hold\": true)"),
            (
                "--comment", .text("a\nb"), .badOptionValue,
                "the value of --comment has a line break or another control character"
            ),
            (
                "--comment", .text("a\0b"), .badOptionValue,
                "the value of --comment has a line break or another control character"
            ),
            (
                "--test-only", .flag, .refusedOption,
                "--test-only cannot be used here: nothing would be submitted; submit --dry-run shows what would be"
            ),
        ] as [(String, SbatchOptions.Value, SlurmError.Code, String)])
    func errors(key: String, value: SbatchOptions.Value, code: SlurmError.Code, message: String) {
        var options = SbatchOptions()
        let error = #expect(throws: SlurmError.self) { try options.set(key, to: value) }
        #expect(error?.code == code)
        #expect(error?.description == message)
        #expect(options == SbatchOptions())
    }

    @Test func twoSpellingsInOneLayerAreAnError() throws {
        var options = try options(("-c", .text("4")))
        let error = #expect(throws: SlurmError.self) { try options.set("--cpus-per-task", to: .text("8")) }
        #expect(error == SlurmError(.duplicateOption, "--cpus-per-task is given twice, in two spellings"))
    }
}

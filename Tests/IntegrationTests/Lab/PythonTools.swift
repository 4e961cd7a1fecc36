import Foundation

/// The real uv and pipreqs, and wheels of both: fetched once and kept for later runs, as the demo's TensorBoard is.
struct PythonTools: Sendable {
    let folder: String
    /// A folder with uv and nothing else.
    var uv: String { folder + "/uv" }
    /// Wheels of uv and pipreqs, and of what they need.
    var wheels: String { folder + "/wheels" }

    private static let script = """
        folder=$1
        mkdir -p "$folder" && exec 8>"$folder/lock" && flock -w 300 8 || exit
        [ -e "$folder/complete" ] && exit
        rm -rf "$folder/venv" "$folder/wheels" "$folder/uv"
        python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" --quiet wheel -w "$folder/wheels" uv 'pipreqs<0.5' \\
            && "$folder/venv/bin/pip" --quiet install --no-index --find-links "$folder/wheels" uv \\
            && mkdir "$folder/uv" && ln -s "$folder/venv/bin/uv" "$folder/uv/uv" && touch "$folder/complete"
        """

    /// - Returns: nil where they cannot be had; that is said.
    static func obtain() async throws -> PythonTools? { try await Keeper.shared.tools() }

    /// Tests run in one process and have no owner above them.
    private actor Keeper {
        static let shared = Keeper()
        private var task: Task<PythonTools?, any Error>?

        func tools() async throws -> PythonTools? {
            let task = task ?? Task { try await Self.fetch() }
            self.task = task
            return try await task.value
        }

        private static func fetch() async throws -> PythonTools? {
            let inherited = ProcessInfo.processInfo.environment
            var environment = inherited.filter { $0.key.hasPrefix("PIP_") || $0.key == "SSL_CERT_FILE" }
            environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
            environment["HOME"] = NSHomeDirectory()
            // Jobs of another user may need it.
            let cache = geteuid() == 0 ? "/var/cache" : inherited["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
            let tools = PythonTools(folder: cache + "/cluster-tools/tools")
            let finished = try await run(
                Launch(
                    program: "/bin/sh", arguments: ["-c", script, "tools", tools.folder], directory: "/",
                    environment: environment), within: .seconds(400))
            guard finished.succeeded else {
                print("No test with uv or pipreqs: they could not be fetched:\n\(finished.errors)")
                return nil
            }
            return tools
        }
    }
}

extension Desk {
    /// A folder with the wheel of a package that is one module.
    ///
    /// A wheel is a zip file: pip and uv install one that lies here without a network.
    func makeWheel(_ name: String, in folder: String? = nil) async throws -> String {
        let folder = folder ?? self.folder + "/wheels"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let program = """
            import sys, zipfile
            name = sys.argv[1]
            info = name + "-1.0.dist-info/"
            with zipfile.ZipFile(name + "-1.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr(name + ".py", "NAME = 'the package " + name + "'")
                wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: " + name + "\\nVersion: 1.0\\n")
                wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                wheel.writestr(info + "RECORD", "".join(n + ",,\\n" for n in (name + ".py", info + "METADATA", info + "WHEEL", info + "RECORD")))
            """
        let launch = Launch(
            program: "python3", arguments: ["-c", program, name], directory: folder, environment: environment)
        _ = try await run(launch).checked("wheel")
        return folder
    }
}

/// A package as a folder of sources, whose build says `begun`, and then waits until there is a file.
enum SlowPackage {
    static func files(in folder: String) -> [String: String] {
        [
            "\(folder)/pyproject.toml": """
            [project]
            name = "slow"
            version = "1"
            [build-system]
            requires = []
            build-backend = "backend"
            backend-path = ["."]
            """,
            "\(folder)/slow.txt": "NAME = 'the slow package'\n",
            "\(folder)/backend.py": """
            import os, time, zipfile
            def build_wheel(folder, config_settings=None, metadata_directory=None):
                with open(os.environ["SIGNPOST"] + ".begun", "a") as file: file.write("%d\\n" % os.getpid())
                while not os.path.exists(os.environ["SIGNPOST"]): time.sleep(0.05)
                info = "slow-1.dist-info/"
                with zipfile.ZipFile(os.path.join(folder, "slow-1-py3-none-any.whl"), "w") as wheel:
                    wheel.writestr("slow.py", open("slow.txt").read())
                    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: slow\\nVersion: 1\\n")
                    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                    wheel.writestr(info + "RECORD", "slow.py,,\\n" + info + "METADATA,,\\n" + info + "WHEEL,,\\n" + info + "RECORD,,\\n")
                return "slow-1-py3-none-any.whl"
            def get_requires_for_build_wheel(config_settings=None): return []

            """,
        ]
    }
}

import Git
import Slurm

/// What a submission would do, in full, without doing any of it.
struct DryRun {
    var submission: Submission

    var text: String {
        let shipment = submission.shipment
        let size = shipment.size
        let job = submission.claim.job
        var lines = ["# The plan"]
        let profile = submission.profile
        let place = profile.hostname.map {
            "\($0), with \(profile.scheduler.rawValue == "none" ? "no scheduler" : "Slurm")"
        }
        lines += [
            "run on       \(place ?? "this machine")",
            "command      \(ShellWord.join(job.command))",
            "in           code/\(shipment.directory)",
            "snapshot     \(job.commit)" + (job.reference.map { " on \($0.dropFirst("refs/heads/".count))" } ?? ""),
            "run folder   \(profile.untarPath?.text ?? "$SCRATCH/cluster-tools (or ~/cluster-tools)")/\(job.project)/\(job.runName)-…",
        ]
        if profile.scheduler == .slurm {
            lines.append("sbatch       " + ShellWord.join(submission.options.arguments))
        }
        if let plan = profile.requirements {
            lines.append(
                "environment  from \(plan.file ?? "what the repository says it needs"), made "
                    + (plan.place == .access ? "on the access node" : "in the job"))
        }
        lines += ["", "# sbatch_script.sh", shipment.script]
        lines.append("# \(size.files) file\(size.files == 1 ? "" : "s"), \(byteCount(size.bytes))")
        lines += shipment.snapshot.entries.map { entry in
            String(repeating: " ", count: max(0, 12 - "\(entry.size)".count)) + "\(entry.size)  \(entry.path)"
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

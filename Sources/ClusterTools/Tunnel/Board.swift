/// A server that answers on the loopback interface of a worker.
struct Board: Sendable, Equatable {
    var service = WebService.tensorboard
    var port: UInt16
    /// What only the user knows: TensorBoard's path, a notebook's token.
    var secret: String
    /// The worker, in the scheduler's words.
    var node: String
    /// Which loopback interface it is on; see `sbatch_script.sh`.
    var loopback: String?
    /// The Python it runs in, which a relay can run in too.
    var python: String?
    /// The number of the job, or of the array's task, that it belongs to.
    var jobID: String
}

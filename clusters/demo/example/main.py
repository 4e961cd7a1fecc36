"""Fits a line to noisy points, and logs the loss for TensorBoard when that is installed."""

import argparse
import random
import time

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.05)
parser.add_argument("--steps", type=int, default=40)
options = parser.parse_args()


def writer():
    """A function (step, loss) that writes an event file below runs/, or one that does nothing."""
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError:
        return lambda step, loss: None
    events = EventFileWriter("runs/lr-%g" % options.lr, flush_secs=1)

    def write(step, loss):
        value = Summary.Value(tag="loss", simple_value=loss)
        events.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=[value])))

    return write


random.seed(1)
points = [(x / 10, 3 * x / 10 + 1 + random.gauss(0, 0.1)) for x in range(20)]
slope = intercept = 0.0
write = writer()
for step in range(options.steps):
    errors = [(slope * x + intercept - y, x) for x, y in points]
    loss = sum(error * error for error, _ in errors) / len(errors)
    write(step, loss)
    if step % 5 == 0:
        print("step %3d  loss %.4f" % (step, loss))
    slope -= options.lr * sum(2 * error * x for error, x in errors) / len(errors)
    intercept -= options.lr * sum(2 * error for error, _ in errors) / len(errors)
    time.sleep(0.25)
print("y = %.2f x + %.2f" % (slope, intercept))

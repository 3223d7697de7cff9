//! Child processes that stay: one JSON line a call on stdin, one JSON line a reply on stdout.
//!
//! A call that was answered is never sent again. A call that a worker had been sent when it ended may have been carried
//! out: it is sent once more, alone, with the same name and `attempt` 2; if that worker ends too, the call has failed. A
//! call of which something is still in our buffer, or in the pipe, was not read, and goes to another worker as if nothing
//! had happened.

mod calls;
mod line;
mod pool;
mod session;
mod worker;

pub(super) use pool::Workers;

//! The program. Everything it does is in the library, so that tests and benches reach it; this file only starts it.

/// Most of what a run does on the processor is to make and drop small texts. Measured (docs/performance.md), this allocator
/// takes a fifth to a third less time than that of the system, and no more memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    evalgauge::cli::main()
}

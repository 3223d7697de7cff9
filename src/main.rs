//! The program. Everything it does is in the library, so that tests and benches reach it; this file only starts it.

fn main() -> std::process::ExitCode {
    evalgauge::cli::main()
}

//! The one printer: results on stdout or in a file, everything else on stderr.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::args::{Color, FormatArg, Global, OutputFormat};
use super::failure::Failure;
use crate::gate::Exit;
use crate::report::{escape_control, json_text};
use crate::table::write_atomically;

/// Where results, progress and complaints go.
pub(super) struct Output {
    format: FormatArg,
    file: Option<PathBuf>,
    quiet: bool,
    verbose: bool,
    color: bool,
}

/// A message on stderr, whatever the settings. It may quote foreign text, which must not reach the terminal's controls.
pub(super) fn complain(text: &str) {
    let lines: Vec<String> = text.split('\n').map(|line| escape_control(line, line.len())).collect();
    // When stderr is gone there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{}", lines.join("\n"));
}

/// A failure as `--format json` prints it.
#[derive(Serialize)]
struct FailureObject<'a> {
    schema: &'static str,
    exit_code: u8,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

impl Output {
    pub(super) fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                global.output.is_none() && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
            }
        };
        let by_ending = || global.output.as_deref().and_then(FormatArg::of_file);
        let format = global.format.or_else(by_ending).unwrap_or(FormatArg::Text);
        Self { format, file: global.output.clone(), quiet: global.quiet, verbose: global.verbose, color }
    }

    /// The form of a result that is no report. What only reports have was refused before any verb began.
    pub(super) fn format(&self) -> OutputFormat {
        self.format.plain().unwrap_or(OutputFormat::Text)
    }

    /// The form of a report.
    pub(super) const fn report_format(&self) -> FormatArg {
        self.format
    }

    pub(super) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(super) const fn color(&self) -> bool {
        self.color
    }

    /// The result, as text.
    pub(super) fn result(&self, text: &str) -> Result<(), Failure> {
        if let Some(file) = &self.file {
            return Ok(write_atomically(file, text.as_bytes())?);
        }
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            // A reader that has seen enough (`| head`) does not change the verdict.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| Failure::machine(format!("cannot write the result: {error}"))),
        }
    }

    /// The result as JSON.
    pub(super) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = json_text(value).map_err(|error| Failure::machine(format!("cannot write the result: {error}")))?;
        self.result(&text)
    }

    /// A remark for people, unless they asked for quiet.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            complain(text);
        }
    }

    /// A remark for people who asked for more.
    pub(super) fn detail(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            complain(&format!("evalgauge: {}", text()));
        }
    }

    /// Says what went wrong and gives the exit code.
    pub(super) fn failed(&self, failure: &Failure) -> Exit {
        complain(&format!("error: {}", failure.message));
        if let Some(hint) = &failure.hint {
            complain(&format!("hint: {hint}"));
        }
        if self.format == FormatArg::Json {
            let object = FailureObject {
                schema: "evalgauge.error/1",
                exit_code: failure.exit.code(),
                error: &failure.message,
                hint: failure.hint.as_deref(),
            };
            if let Err(second) = self.json(&object) {
                complain(&format!("error: {}", second.message));
            }
        }
        failure.exit
    }
}

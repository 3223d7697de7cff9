//! Where the store is when nobody says so.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The file's name in its folder.
const FILE: &str = "answers.sqlite";

/// `EVALGAUGE_CACHE_DIR/answers.sqlite`, or `evalgauge/answers.sqlite` in the user's folder for caches; `None` where the
/// environment names no such folder.
#[must_use]
pub fn default_place() -> Option<PathBuf> {
    place(std::env::consts::OS, |name| std::env::var_os(name))
}

/// A variable that is set to something, as a folder. XDG wants relative ones ignored.
fn place(system: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(own) = folder("EVALGAUGE_CACHE_DIR") {
        return Some(own.join(FILE));
    }
    let home = || folder("HOME");
    let caches = match system {
        "macos" => home().map(|home| home.join("Library/Caches")),
        "windows" => folder("LOCALAPPDATA"),
        _ => folder("XDG_CACHE_HOME")
            .filter(|path: &PathBuf| Path::is_absolute(path))
            .or_else(|| home().map(|home| home.join(".cache"))),
    };
    caches.map(|caches| caches.join("evalgauge").join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_its_folder() {
        type Row = (&'static str, &'static [(&'static str, &'static str)], Option<&'static str>);
        let all: [Row; 8] = [
            ("linux", &[("HOME", "/h")], Some("/h/.cache/evalgauge/answers.sqlite")),
            ("linux", &[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], Some("/x/evalgauge/answers.sqlite")),
            ("linux", &[("HOME", "/h"), ("XDG_CACHE_HOME", "x")], Some("/h/.cache/evalgauge/answers.sqlite")),
            ("linux", &[("HOME", "/h"), ("EVALGAUGE_CACHE_DIR", "/c")], Some("/c/answers.sqlite")),
            ("linux", &[("HOME", "/h"), ("EVALGAUGE_CACHE_DIR", "")], Some("/h/.cache/evalgauge/answers.sqlite")),
            ("macos", &[("HOME", "/h")], Some("/h/Library/Caches/evalgauge/answers.sqlite")),
            ("windows", &[("LOCALAPPDATA", "/l")], Some("/l/evalgauge/answers.sqlite")),
            ("linux", &[], None),
        ];
        for (system, variables, expected) in all {
            let found = place(system, |name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into()));
            assert_eq!(found.as_deref(), expected.map(Path::new), "{system} {variables:?}");
        }
    }
}

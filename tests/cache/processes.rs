//! Several processes on one store, and processes that are killed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use evalgauge::provider::Provider;
use evalgauge::provider::cache::{CacheMode, Found, Store, stat, verify};
use futures_util::StreamExt;
use tempfile::tempdir;

use crate::stub::{Stub, fill, identity, open, question, say};

/// Set for the process that writes: the store, its first question, and how many.
const WRITER: &str = "EVALGAUGE_TEST_CACHE_WRITER";

/// Answers in flight in a process that writes.
const IN_FLIGHT: usize = 16;

/// How often a writer is killed.
const ROUNDS: usize = 5;

/// A writer that is ended when the test ends, however it ends.
struct Writer(Child);

impl Writer {
    fn start(store: &Path, first: usize, count: usize) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "processes::a_killed_writer_loses_nothing_that_was_acknowledged", "--nocapture"])
            .env(WRITER, format!("{first} {count} {}", store.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// The questions whose answers it has acknowledged, as they come.
    fn acknowledged(&mut self) -> impl Iterator<Item = usize> + use<> {
        let lines = BufReader::new(self.0.stdout.take().unwrap()).split(b'\n');
        // What a killed process has not finished to say is not a whole line with its mark at the end.
        lines.map_while(Result::ok).filter_map(|line| {
            let line = String::from_utf8(line).ok()?;
            line.strip_prefix("acknowledged ")?.strip_suffix(" .")?.parse().ok()
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The process that writes: keeps answers and says which, each after it was acknowledged.
fn write(task: &str) {
    let mut words = task.splitn(3, ' ');
    let mut number = || words.next().unwrap().parse::<usize>().unwrap();
    let (first, count) = (number(), number());
    let store = open(&PathBuf::from(words.next().unwrap()));
    let cached = Stub::counting().cached(&store, CacheMode::ReadWrite);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    say("the process that writes");
    runtime.block_on(async {
        let cached = &cached;
        let mut answers = futures_util::stream::iter(first..first + count)
            .map(|number| async move {
                cached.ask(&question(number)).await.unwrap();
                number
            })
            .buffer_unordered(IN_FLIGHT);
        while let Some(number) = answers.next().await {
            say(&format!("acknowledged {number} ."));
        }
    });
}

#[test]
fn a_killed_writer_loses_nothing_that_was_acknowledged() {
    if let Ok(task) = std::env::var(WRITER) {
        return write(&task);
    }
    let folder = tempdir().unwrap();
    let path = folder.path().join("answers.sqlite");
    let mut acknowledged = Vec::new();
    let mut killed_at = Vec::new();
    for round in 0..ROUNDS {
        let base = round * 1_000_000;
        // One is killed while it writes, the other goes on to its end.
        let mut victim = Writer::start(&path, base, 500_000);
        let mut survivor = Writer::start(&path, base + 500_000, 400);
        let mut heard = victim.acknowledged();
        let before = acknowledged.len();
        acknowledged.extend(heard.by_ref().take(100 + 70 * round));
        assert!(victim.0.try_wait().unwrap().is_none(), "the victim is alive when it is killed");
        victim.0.kill().unwrap();
        let status = victim.0.wait().unwrap();
        #[cfg(unix)]
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
        assert!(!status.success());
        // What it said before it died counts as well.
        acknowledged.extend(heard);
        killed_at.push(acknowledged.len() - before);
        let survived: Vec<usize> = survivor.acknowledged().collect();
        assert!(survivor.0.wait().unwrap().success());
        assert_eq!(survived.len(), 400, "the other one lost nothing");
        acknowledged.extend(survived);
    }

    let store = Store::open(&path).unwrap();
    let missing = acknowledged
        .iter()
        .filter(|number| !matches!(store.get(&identity().key(&question(**number))).unwrap(), Found::Answer(_)))
        .count();
    drop(store);
    let found = verify(&path, false).unwrap();
    say(&format!(
        "{ROUNDS} writers killed after {killed_at:?} answers beside {ROUNDS} that went on: {} answers acknowledged, \
         {missing} of them missing; {} entries, {} broken",
        acknowledged.len(),
        found.entries,
        found.broken.len()
    ));
    assert!(found.is_sound(), "{found:?}");
    assert_eq!(missing, 0);
    assert!(killed_at.iter().enumerate().all(|(round, count)| *count >= 100 + 70 * round));
    assert!(found.entries as usize >= acknowledged.len());
}

#[tokio::test]
async fn two_imports_at_once_into_a_store_that_is_not_there_yet() {
    let folder = tempdir().unwrap();
    let exports = [("a", 0..700), ("b", 400..1100)].map(|(name, questions)| {
        (folder.path().join(name).with_extension("sqlite"), folder.path().join(name), questions)
    });
    for (source, file, questions) in exports.clone() {
        fill(&source, questions).await;
        evalgauge::provider::cache::export(&source, &file).unwrap();
    }
    let target = folder.path().join("new/answers.sqlite");
    let imports = exports.map(|(_, file, _)| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalgauge"));
        command.args(["cache", "import", "--format", "json", "--store"]).arg(&target).arg(file);
        Writer(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    });
    let mut added = Vec::new();
    for mut import in imports {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut import.0.stdout.take().unwrap(), &mut said).unwrap();
        let mut complained = String::new();
        std::io::Read::read_to_string(&mut import.0.stderr.take().unwrap(), &mut complained).unwrap();
        assert!(import.0.wait().unwrap().success(), "{said}{complained}");
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        added.push(said["added"].as_u64().unwrap());
    }
    say(&format!("two imports at once added {added:?}"));
    assert_eq!(added.iter().sum::<u64>(), 1100);
    assert_eq!(stat(&target).unwrap().entries, 1100);
    assert!(verify(&target, false).unwrap().is_sound());
}

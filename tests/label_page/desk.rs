//! A project with a judge's items, the program that serves them, and what came into the files.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// After this long a program hangs, and the test fails.
const HANGS_AFTER: Duration = Duration::from_mins(2);

/// A text that must never come to a rater.
pub const SECRET: &str = "SECRET-";

/// A judge with two dimensions.
pub const RUBRIC: &str = r#"
kind  = "rubric"
about = "Is the answer right, and is it supported?"
[model.command]
argv = ["true"]
[scale]
values = [0, 1, 2, 3]
[[dimension]]
name  = "evidence"
about = "does the answer point at what it was given"
[[dimension.level]]
value = 0
means = "it points at nothing, or at what is not there"
[[dimension.level]]
value   = 3
means   = "every claim is backed by the alert, by name and number"
example = "disk at 97 % on db-3 since 04:10"
[[dimension]]
name  = "clarity"
about = "can an engineer act on it at once"
"#;

/// A judge with one grade.
pub const GRADE: &str = r#"
kind  = "grade"
about = "Is it good?"
[model.command]
argv = ["true"]
[scale]
values = ["fail", "pass"]
"#;

/// A judge that compares.
pub const PAIRWISE: &str = r#"
kind  = "pairwise"
about = "Which one helps more?"
[model.command]
argv = ["true"]
"#;

/// A folder with judges.
pub struct Desk {
    folder: TempDir,
}

/// The program while it serves.
pub struct Served {
    child: Child,
    pub url: String,
    pub port: u16,
    pub token: String,
}

/// An answer.
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// JSON lines.
pub fn lines(values: impl IntoIterator<Item = Value>) -> String {
    values.into_iter().fold(String::new(), |mut lines, value| {
        writeln!(lines, "{value}").unwrap();
        lines
    })
}

/// `n` items; what raters must not see is marked.
pub fn items(n: usize) -> String {
    lines((0..n).map(|at| {
        json!({
            "id": format!("{SECRET}id-{at:03}#1"),
            "input": format!("alert {at}: disk of db-{at} is full"),
            "answer": format!("answer {at}: page the database team"),
            "labels": {"difficulty": format!("{SECRET}hard"), "candidate": format!("{SECRET}candidate")},
        })
    }))
}

impl Desk {
    /// A judge `j` with this description and these items.
    pub fn new(judge: &str, items: &str) -> Self {
        let desk = Self { folder: TempDir::with_prefix("evalgauge-labels-").unwrap() };
        desk.write("judges/j/judge.toml", judge);
        desk.write("judges/j/prompt.md.j2", "{{ input }} {{ answer }} {{ form }}");
        desk.write("judges/j/items.jsonl", items);
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The lines of a rater's file.
    pub fn labels(&self, rater: &str) -> Vec<Value> {
        self.read(&format!("judges/j/labels/{rater}.jsonl"))
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
            .collect()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalgauge"));
        command.args(["label", "serve"]).args(arguments).current_dir(self.folder.path());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("EVALGAUGE_")) {
            command.env_remove(name);
        }
        command.env("NO_COLOR", "1").env("EVALGAUGE_CACHE_DIR", self.path("cache"));
        command
    }

    /// Serves the judge's items to a rater.
    pub fn serve(&self, rater: &str) -> Served {
        self.serve_with(&["j", "--rater", rater])
    }

    pub fn serve_with(&self, arguments: &[&str]) -> Served {
        let mut command = self.command(&[arguments, &["--quiet"]].concat());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().to_owned();
        let rest = url.strip_prefix("http://127.0.0.1:").unwrap_or_else(|| panic!("no address: {line:?}"));
        let (port, token) = rest.split_once('/').unwrap();
        let (port, token) = (port.parse().unwrap(), token.trim_end_matches('/').to_owned());
        Served { child, url, port, token }
    }

    /// Runs the program on arguments that it refuses: its exit code and complaint.
    pub fn refused(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = assert_cmd::Command::from_std(self.command(arguments)).timeout(HANGS_AFTER).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "nothing is served");
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

impl Served {
    /// Ends the program as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The process.
    pub fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Asks the program to end, and gives its exit code.
    pub fn interrupt(mut self) -> Option<i32> {
        rustix::process::kill_process(self.id(), rustix::process::Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }

    /// Sends bytes and gives the answer; none where the connection broke.
    pub fn send(&self, bytes: &[u8]) -> Option<Reply> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(HANGS_AFTER)).unwrap();
        stream.write_all(bytes).ok()?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text).ok()?;
        let text = String::from_utf8(text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length: usize =
            head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse().unwrap();
        (body.len() == length).then(|| Reply { status, head: head.to_owned(), body: body.to_owned() })
    }

    /// A request with more headers.
    pub fn request(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Option<Reply> {
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|header| header.starts_with("Host:")) {
            write!(text, "Host: 127.0.0.1:{}\r\n", self.port).unwrap();
        }
        for header in headers {
            write!(text, "{header}\r\n").unwrap();
        }
        if !body.is_empty() {
            write!(text, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        self.send(format!("{text}\r\n{body}").as_bytes())
    }

    /// What the page reads.
    pub fn get(&self, path: &str) -> Value {
        let reply = self.request("GET", &format!("/{}/{path}", self.token), &[], "").unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    /// What the page sends; none where the server was gone.
    pub fn grade(&self, grading: &Value) -> Option<Reply> {
        self.request(
            "POST",
            &format!("/{}/api/label", self.token),
            &["Content-Type: application/json"],
            &grading.to_string(),
        )
    }

    /// The keys of the items, in the rater's order.
    pub fn keys(&self) -> Vec<String> {
        serde_json::from_value(self.get("api/sheet")["items"].take()).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every file below a folder that is not what a test expects: leftovers.
pub fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

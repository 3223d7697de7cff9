//! What a workflow's environment says.

use std::path::PathBuf;

use serde_json::Value;

use super::error::PublishError;
use super::token::Token;
use crate::table::TableError;

const API: &str = "https://api.github.com";
const SERVER: &str = "https://github.com";

/// Where this runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Github {
    /// The API's address, without a slash at its end.
    pub(super) api: String,
    /// `owner/name`.
    pub(super) repository: Option<String>,
    pub(super) token: Option<Token>,
    /// The pull request's number, where the event is about one.
    pub(super) pull_request: Option<u64>,
    /// The commit at its head.
    head: Option<String>,
    /// The run and its attempt: later ones are greater.
    pub(super) run: Option<(u64, u64)>,
    /// The page of the run.
    page: Option<String>,
    /// Where the step's summary goes.
    pub(super) summary: Option<PathBuf>,
    /// Where the step's outputs go.
    pub(super) output: Option<PathBuf>,
    /// The folder that paths in annotations start from.
    pub workspace: Option<PathBuf>,
}

impl Github {
    /// Reads the environment, and the event's file.
    ///
    /// # Errors
    /// An event that cannot be read, or a repository whose name makes no sense.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, PublishError> {
        let get = |name: &str| env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let event = match get("GITHUB_EVENT_PATH").map(PathBuf::from) {
            Some(path) => {
                let text = std::fs::read_to_string(&path).map_err(TableError::io(&path))?;
                serde_json::from_str(&text)
                    .map_err(|error| PublishError::Settings(format!("{}: not JSON: {error}", path.display())))?
            }
            None => Value::Null,
        };
        let repository = get("GITHUB_REPOSITORY");
        let plain = |name: &str| {
            !name.is_empty()
                && name != "."
                && name != ".."
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        if let Some(name) = &repository
            && !name.split_once('/').is_some_and(|(owner, name)| plain(owner) && plain(name))
        {
            return Err(PublishError::Settings("GITHUB_REPOSITORY is not `owner/name`".to_owned()));
        }
        let number = |name: &str| get(name).and_then(|value| value.parse::<u64>().ok());
        let server = get("GITHUB_SERVER_URL").unwrap_or_else(|| SERVER.to_owned());
        let page = repository
            .as_ref()
            .zip(number("GITHUB_RUN_ID"))
            .map(|(repository, run)| format!("{}/{repository}/actions/runs/{run}", server.trim_end_matches('/')));
        Ok(Self {
            api: get("GITHUB_API_URL").unwrap_or_else(|| API.to_owned()).trim_end_matches('/').to_owned(),
            repository,
            token: Token::read(env("GITHUB_TOKEN")),
            pull_request: pull_request(&event),
            head: event["pull_request"]["head"]["sha"].as_str().or(event["after"].as_str()).map(str::to_owned),
            run: number("GITHUB_RUN_ID").map(|run| (run, number("GITHUB_RUN_ATTEMPT").unwrap_or(1))),
            page,
            summary: get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            output: get("GITHUB_OUTPUT").map(PathBuf::from),
            workspace: get("GITHUB_WORKSPACE").map(PathBuf::from),
        })
    }

    /// `owner/name#number`, where a comment would go.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        Some(format!("{}#{}", self.repository.as_ref()?, self.pull_request?))
    }

    /// The line below a comment that says what it is about.
    pub(super) fn footer(&self) -> String {
        let is_sha = |sha: &&str| sha.len() >= 7 && sha.bytes().all(|byte| byte.is_ascii_hexdigit());
        let commit = self.head.as_deref().filter(is_sha).map(|sha| format!("commit {}", &sha[..7]));
        let page = self.page.as_ref().map(|page| format!("[workflow run]({page})"));
        let parts: Vec<String> = [commit, page].into_iter().flatten().collect();
        if parts.is_empty() { String::new() } else { format!("\n<sub>{}</sub>\n", parts.join(" · ")) }
    }
}

/// The pull request that an event is about.
fn pull_request(event: &Value) -> Option<u64> {
    event["pull_request"]["number"]
        .as_u64()
        // A comment on a pull request is an event about an issue that is one.
        .or_else(|| event["issue"]["pull_request"].is_object().then(|| event["issue"]["number"].as_u64()).flatten())
        .or_else(|| event["workflow_run"]["pull_requests"][0]["number"].as_u64())
}

/// The hidden line by which a comment is found again: one a config, so that two gates of one repository have one each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(String);

impl Marker {
    /// For a name; what could end an HTML comment is written otherwise.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let plain: String = name
            .chars()
            .flat_map(|c| {
                let fits = c.is_alphanumeric() || matches!(c, '.' | '/' | '_' | '@' | '#' | '+');
                if fits { vec![c] } else { format!("%{:x};", c as u32).chars().collect() }
            })
            .collect();
        Self(format!("<!-- evalgauge {plain} -->"))
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn event(text: &str) -> Result<Github, PublishError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let path = file.path().display().to_string();
        Github::from_env(&|name| match name {
            "GITHUB_EVENT_PATH" => Some(path.clone()),
            "GITHUB_REPOSITORY" => Some("o/r".to_owned()),
            "GITHUB_API_URL" => Some("http://127.0.0.1:1/api/".to_owned()),
            "GITHUB_RUN_ID" => Some("70".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn the_pull_request_of_an_event() {
        let number = |text: &str| event(text).unwrap().pull_request;
        assert_eq!(number(r#"{"pull_request": {"number": 3}}"#), Some(3));
        assert_eq!(number(r#"{"issue": {"number": 4, "pull_request": {}}}"#), Some(4));
        assert_eq!(number(r#"{"issue": {"number": 4}}"#), None);
        assert_eq!(number(r#"{"workflow_run": {"pull_requests": [{"number": 5}]}}"#), Some(5));
        assert_eq!(number(r#"{"ref": "refs/heads/main"}"#), None);
        assert!(event("{").is_err());
        let of = event(r#"{"pull_request": {"number": 3, "head": {"sha": "0123456789abcdef"}}}"#).unwrap();
        assert_eq!((of.place().as_deref(), of.api.as_str()), (Some("o/r#3"), "http://127.0.0.1:1/api"));
        assert!(of.footer().contains("commit 0123456 · [workflow run](https://github.com/o/r/actions/runs/70)"));
    }

    #[test]
    fn a_repository_is_a_name_and_no_path() {
        for name in ["o", "o/r/x", "../r", "o/..", "o/r?x", "/r", "o/"] {
            let github = Github::from_env(&|asked| (asked == "GITHUB_REPOSITORY").then(|| name.to_owned()));
            assert!(github.is_err(), "{name}");
        }
    }

    #[test]
    fn a_marker_stays_one_comment() {
        assert_eq!(Marker::new("evalgauge.toml#a").line(), "<!-- evalgauge evalgauge.toml#a -->");
        let hostile = Marker::new("a--><b>\n--!>").line().to_owned();
        assert_eq!((hostile.matches("--").count(), hostile.matches('>').count(), hostile.lines().count()), (2, 1, 1));
        assert_ne!(Marker::new("a-b"), Marker::new("a b"));
    }
}

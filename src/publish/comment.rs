//! One comment on a pull request: created once, updated after.

use reqwest::Method;
use serde_json::{Value, json};

use super::api::Api;
use super::error::PublishError;
use super::github::{Github, Marker};

/// Comments of one page.
const PAGE: usize = 100;
/// Pages that are looked through.
const MOST_PAGES: usize = 100;

/// What became of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// There is a new one, here.
    Created(String),
    /// The one there was says this now.
    Updated(String),
    /// A later run said something already, which stands.
    Overtaken(String),
    /// It could not be, for this reason, which is no fault.
    Not(String),
}

/// A comment of ours.
#[derive(Debug)]
struct Found {
    id: u64,
    page: String,
    run: Option<(u64, u64)>,
}

/// Says `text` in the comment with this marker; there is one afterwards, also where several runs do this at once: whoever
/// finds more than one leaves the oldest.
///
/// # Errors
/// What GitHub answers when it is neither done nor forbidden.
pub async fn comment(github: &Github, marker: &Marker, text: &str) -> Result<Posted, PublishError> {
    let Some(repository) = &github.repository else {
        return Ok(Posted::Not("GITHUB_REPOSITORY is not set".to_owned()));
    };
    let Some(number) = github.pull_request else {
        return Ok(Posted::Not("this is no pull request".to_owned()));
    };
    let Some(token) = &github.token else {
        return Ok(Posted::Not("there is no GITHUB_TOKEN, as in pull requests from forks".to_owned()));
    };
    let body = body(github, marker, text);
    let thread = Thread { repository, number, marker };
    let mut api = Api::new(&github.api, token.clone())?;
    match thread.upsert(&mut api, github.run, &body).await {
        Err(error) if error.is_forbidden() => Ok(Posted::Not(format!("this token may not comment ({error})"))),
        other => other,
    }
}

/// The whole comment. The marker comes first, and is looked for there: a quotation of it further down is no marker.
fn body(github: &Github, marker: &Marker, text: &str) -> String {
    let run = github.run.map_or_else(String::new, |(run, attempt)| format!("<!-- run {run}.{attempt} -->\n"));
    format!("{}\n{run}{text}{}", marker.line(), github.footer())
}

/// The comments of one pull request.
struct Thread<'a> {
    repository: &'a str,
    number: u64,
    marker: &'a Marker,
}

impl Thread<'_> {
    async fn upsert(&self, api: &mut Api, run: Option<(u64, u64)>, body: &str) -> Result<Posted, PublishError> {
        let all = format!("/repos/{}/issues/{}/comments", self.repository, self.number);
        let content = json!({ "body": body });
        let mut attempt = 1;
        let created = loop {
            if let Some(first) = self.list(api).await?.into_iter().next() {
                return self.update(api, first, run, &content).await;
            }
            match api.once(Method::POST, &all, Some(&content)).await {
                Ok(created) => break created,
                // It may have been done all the same: look before it is said twice.
                Err(fault) => api.wait(&mut attempt, fault).await?,
            }
        };
        // Two runs may have found none at the same moment. Both now see both, and both keep the oldest.
        let mut found = self.list(api).await?.into_iter();
        let own = created["id"].as_u64();
        let page = created["html_url"].as_str().unwrap_or_default().to_owned();
        let Some(first) = found.next() else { return Ok(Posted::Created(page)) };
        for other in found {
            let path = format!("/repos/{}/issues/comments/{}", self.repository, other.id);
            match api.call(Method::DELETE, &path, None).await {
                // Somebody else has removed it.
                Err(error) if error.is_forbidden() => {}
                done => drop(done?),
            }
        }
        if Some(first.id) == own { Ok(Posted::Created(page)) } else { self.update(api, first, run, &content).await }
    }

    async fn update(
        &self,
        api: &mut Api,
        comment: Found,
        run: Option<(u64, u64)>,
        content: &Value,
    ) -> Result<Posted, PublishError> {
        // Runs end in any order; what an earlier one found must not replace what a later one found.
        if run.is_some() && comment.run > run {
            return Ok(Posted::Overtaken(comment.page));
        }
        let path = format!("/repos/{}/issues/comments/{}", self.repository, comment.id);
        api.call(Method::PATCH, &path, Some(content)).await?;
        Ok(Posted::Updated(comment.page))
    }

    /// Our comments, the oldest first.
    async fn list(&self, api: &mut Api) -> Result<Vec<Found>, PublishError> {
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let path =
                format!("/repos/{}/issues/{}/comments?per_page={PAGE}&page={page}", self.repository, self.number);
            let comments = api.call(Method::GET, &path, None).await?;
            let comments = comments.as_array().map(Vec::as_slice).unwrap_or_default();
            found.extend(comments.iter().filter_map(|comment| self.ours(comment)));
            if comments.len() < PAGE {
                break;
            }
        }
        found.sort_by_key(|comment| comment.id);
        Ok(found)
    }

    /// A comment that starts with the marker and was made by somebody who may: a workflow, or a member. Anybody may write
    /// the marker, and would keep the right to change what is said there.
    fn ours(&self, comment: &Value) -> Option<Found> {
        let rest = comment["body"].as_str()?.trim_start().strip_prefix(self.marker.line())?;
        let trusted = comment["user"]["type"] == "Bot"
            || matches!(comment["author_association"].as_str(), Some("OWNER" | "MEMBER" | "COLLABORATOR"));
        let run = || {
            let (run, attempt) = rest.trim_start().strip_prefix("<!-- run ")?.split_once(" -->")?.0.split_once('.')?;
            Some((run.parse().ok()?, attempt.parse().ok()?))
        };
        let page = comment["html_url"].as_str().unwrap_or_default().to_owned();
        trusted.then(|| Some(Found { id: comment["id"].as_u64()?, page, run: run() })).flatten()
    }
}

//! Further trials of a check against a cached model: new ones for another head, the same ones for the same head.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::Project;
use crate::http::{Said, serve};

const EXAMPLES: usize = 40;

/// A model that shouts what it is told, wrong where the prompt says so; the prompts that it was asked.
fn model() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let address = serve(move |request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let prompt = body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned();
        let said = if prompt.starts_with("word") { prompt.to_uppercase() } else { "no".to_owned() };
        heard.lock().unwrap().push(prompt);
        let answer = json!({
            "id": "c", "object": "chat.completion", "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}],
        });
        Said(200, "application/json", answer.to_string().into_bytes())
    });
    (format!("http://{address}/v1"), asked)
}

#[test]
fn another_head_draws_new_trials_of_the_baseline_and_the_same_head_the_same_ones() {
    let (url, asked) = model();
    let candidate = |name: &str, more: &str| {
        format!("[candidates.{name}.openai]\nmodel = \"m\"\nbase_url = \"{url}\"\nkey_env = \"MODEL_KEY\"\n{more}")
    };
    let settings = [
        candidate("model", ""),
        candidate("worse", "prompt = \"worse.j2\"\n"),
        candidate("other", "prompt = \"other.j2\"\n"),
    ];
    let project = Project::at(EXAMPLES, &settings.concat());
    for name in ["worse", "other"] {
        std::fs::write(project.path().join(format!("{name}.j2")), format!("{name} {{{{ input }}}}")).unwrap();
    }
    let news = || {
        let mut asked = asked.lock().unwrap();
        let of_baseline = asked.iter().filter(|prompt| prompt.starts_with("word")).count();
        let all = std::mem::take(&mut *asked).len();
        (of_baseline, all - of_baseline)
    };
    project.ok(&["run"]);
    project.ok(&["baseline", "bless", "latest"]);
    assert_eq!(news(), (EXAMPLES, 0));

    let check = |name: &str, more: &[&str]| {
        let fixed = ["check", "--candidate", name, "--base", "model", "--resolve", "--as-of", "2026-11-21", "--format"];
        let (code, stdout, stderr) = project.run(&[&fixed[..], &["json"], more].concat());
        assert_eq!(code, 1, "{stderr}");
        assert!(stdout.contains("both sides were run once more"), "{stdout}");
        serde_json::from_str::<Value>(&stdout).unwrap()["cells"].clone()
    };
    // Red: the head once, then both sides once more.
    let cells = check("worse", &[]);
    assert_eq!(news(), (EXAMPLES, 2 * EXAMPLES));
    // The same decision again, as when a job is repeated: nobody is asked, and nobody has to be.
    assert_eq!(check("worse", &[]), cells);
    assert_eq!(check("worse", &["--cache", "ro"]), cells);
    assert_eq!(news(), (0, 0));
    // Another pull request is not compared with the same luck.
    check("other", &[]);
    assert_eq!(news(), (EXAMPLES, 2 * EXAMPLES));
}

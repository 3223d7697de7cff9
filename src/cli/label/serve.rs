//! `evalgauge label serve`: the labelling page of one rater.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::args::{Global, OutputFormat};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::config::Project;
use crate::gate::Exit;
use crate::judge::{
    DimensionSpec, Files, Grade, JudgeKind, LevelSpec, OVERALL, Overall, RaterKind, SETTINGS, read_items,
};
use crate::page::{Dimension, Item, LabelFile, Level, PageError, Rater, Server, Session, Sheet};
use crate::provider::cache::default_place;
use crate::run::judges_folder;
use crate::table::{TableError, for_each_line, json_reason};

const HELP: &str = "\
The page shows the items in an order of the rater's own, without ids, slice labels, candidates, the judge's grades or other
raters' labels. Every grade is on the disk before the page says that it is saved: in judges/NAME/labels/RATER.jsonl, or for
--sheet FILE in the file of -o (default: FILE with the ending .RATER.jsonl). Start it again and go on; Ctrl-C ends it. Whoever
knows the address can grade in the rater's name; it is reachable from this machine only.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct ServeArgs {
    /// The judge whose items are graded, on its scale
    #[arg(required_unless_present = "sheet", conflicts_with = "sheet")]
    name: Option<String>,
    /// Who grades: a name, also of the file
    #[arg(long, value_name = "NAME")]
    rater: String,
    /// Whether the rater is a person
    #[arg(long, value_enum, default_value_t = Kind::Human)]
    kind: Kind,
    /// Grade a file instead of a judge's items: JSON lines with id, input, answer, and reference or other where there are
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// The grades of --sheet, worst first: 0,1,2,3 or fail,pass [two answers: A, B, tie]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', requires = "sheet")]
    scale: Vec<String>,
    /// What --sheet is graded for; may be given several times [default: overall]
    #[arg(long, value_name = "NAME", requires = "sheet")]
    dimension: Vec<String>,
    /// Listen on this port of 127.0.0.1; 0 is any free one [default: that of the last start, where it is free]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Print the address only; open no browser
    #[arg(long)]
    no_open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A person
    Human,
    /// A program, or anything else that grades in the place of a person
    StandIn,
}

impl From<Kind> for RaterKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Human => Self::Human,
            Kind::StandIn => Self::StandIn,
        }
    }
}

/// What `--format json` prints when the page is there.
#[derive(Serialize)]
struct Serving<'a> {
    schema: &'static str,
    url: &'a str,
    port: u16,
    labels: String,
    items: usize,
    graded: usize,
}

pub(super) fn run(args: &ServeArgs, global: &Global, output: &Output) -> Result<Exit, Failure> {
    if args.sheet.is_none() && global.output.is_some() {
        return Err(Failure::input("-o names the labels of a --sheet; a judge's are in its folder".to_owned()));
    }
    let project = Project::open(global.config.as_deref())?;
    let rater = Rater::new(&args.rater, args.kind.into())?;
    let (sheet, place) = match (&args.sheet, &args.name) {
        (Some(file), _) => (sheet_of_file(file, args)?, labels_beside(file, &rater, global)),
        (None, Some(name)) => {
            let (sheet, folder) = sheet_of_judge(&project, name)?;
            (sheet, folder.join("labels").join(format!("{}.jsonl", rater.name)))
        }
        (None, None) => return Err(Failure::input("name a judge, or a file with --sheet".to_owned())),
    };
    let seed = global.seed.unwrap_or(project.config.seed);
    let labels = LabelFile::open(&place, rater)?;
    let sessions = default_place().and_then(|store| Some(store.parent()?.join("label-pages")));
    let session = Session::resume(sessions.as_deref(), &place)?;
    let server = listen(sheet, labels, seed, &session, args.port)?;
    if let Err(error) = session.keep(server.port()) {
        output.detail(|| format!("the page's address is not remembered for the next start: {error}"));
    }
    serve(server, &place, args, output)
}

/// Listens on the port that was asked for, else on the one of the last start, else on any.
fn listen(
    sheet: Sheet,
    labels: LabelFile,
    seed: u64,
    session: &Session,
    port: Option<u16>,
) -> Result<Server, PageError> {
    if let (None, Some(last)) = (port, session.port) {
        let again = Server::bind(sheet.clone(), labels.clone(), seed, session, last);
        if !matches!(again, Err(PageError::Listen { .. })) {
            return again;
        }
    }
    Server::bind(sheet, labels, seed, session, port.unwrap_or(0))
}

/// Serves until Ctrl-C.
fn serve(server: Server, place: &Path, args: &ServeArgs, output: &Output) -> Result<Exit, Failure> {
    let (url, port) = (server.url(), server.port());
    let ticket = (!args.no_open && wants_a_browser()).then(|| server.ticket()).transpose()?;
    // Ready for Ctrl-C before anybody is told that the page is there.
    let waiting = crate::cli::runtime::runtime()?;
    let running = server.start();
    let (graded, items) = running.progress()?;
    let labels = crate::cli::run::shown(place);
    let end: Result<(), Failure> = waiting.block_on(async {
        let mut interrupted = Box::pin(crate::cli::run::interrupted());
        // Polled once, the handlers are there.
        let _ = (&mut interrupted).now_or_never();
        match output.format() {
            OutputFormat::Json => {
                let serving = Serving {
                    schema: "evalgauge.label-serve/1",
                    url: &url,
                    port,
                    labels: labels.clone(),
                    items,
                    graded,
                };
                let text = serde_json::to_string(&serving)
                    .map_err(|error| Failure::machine(format!("cannot write the result: {error}")))?;
                Output::say(&text)?;
            }
            OutputFormat::Text | OutputFormat::Md => Output::say(&url)?,
        }
        output.note(&format!(
            "rater {} ({}): {graded} of {items} items graded; labels go to {labels}; Ctrl-C ends the page",
            args.rater,
            RaterKind::from(args.kind).name()
        ));
        if let Some(ticket) = &ticket
            && let Err(error) = open_browser(ticket)
        {
            output.note(&format!("no browser was opened ({error}); open the address above"));
        }
        interrupted.await;
        Ok(())
    });
    let (graded, items) = running.progress()?;
    running.stop();
    end?;
    output.note(&format!("{graded} of {items} items graded, in {labels}"));
    Ok(Exit::Pass)
}

/// Whether somebody sits before this machine's screen.
fn wants_a_browser() -> bool {
    use std::io::IsTerminal;
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let screen = cfg!(target_os = "macos") || set("DISPLAY") || set("WAYLAND_DISPLAY");
    std::io::stdout().is_terminal() && screen && !set("SSH_CONNECTION")
}

fn open_browser(url: &str) -> std::io::Result<()> {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut child =
        Command::new(program).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // It ends by itself; somebody has to take note of that.
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// Where the labels of a sheet from a file go.
fn labels_beside(file: &Path, rater: &Rater, global: &Global) -> PathBuf {
    global.output.clone().unwrap_or_else(|| file.with_extension(format!("{}.jsonl", rater.name)))
}

/// The sheet of a judge: its items, on its scale.
fn sheet_of_judge(project: &Project, name: &str) -> Result<(Sheet, PathBuf), Failure> {
    let judges = judges_folder(&project.root);
    let files = Files::read(&judges, name)?;
    let folder = files.folder;
    let about = files.spec.about.clone();
    // The members of a panel grade the same things on one scale.
    let spec = match files.spec.members.first() {
        Some(member) => Files::read(&judges, member)?.spec,
        None => files.spec,
    };
    let pairwise = spec.kind == JudgeKind::Pairwise;
    let wrong = |reason: String| Failure::input(format!("{}: {reason}", folder.join(SETTINGS).display()));
    let scale = spec.grade_scale().map_err(wrong)?.ok_or_else(|| wrong("there is no scale".to_owned()))?;
    let levels = |words: &[LevelSpec]| -> Vec<Level> {
        if pairwise {
            return Level::preferences();
        }
        let level = |value: Grade| match words.iter().find(|words| words.value == value) {
            Some(words) => Level { value, means: words.means.clone(), example: words.example.clone() },
            None => Level::plain(value),
        };
        scale.grades().map(level).collect()
    };
    let dimension = |part: &DimensionSpec| Dimension {
        name: part.name.clone(),
        about: part.about.clone(),
        levels: levels(&part.levels),
    };
    let mut dimensions: Vec<Dimension> = spec.dimensions.iter().map(dimension).collect();
    // People grade a rubric as a whole only where the model does that too; else it follows from the parts.
    if dimensions.is_empty() || spec.overall == Some(Overall::Asked) {
        dimensions.push(Dimension { name: OVERALL.to_owned(), about: String::new(), levels: levels(&spec.levels) });
    }
    let items = read_items(&folder.join("items.jsonl"))?
        .into_iter()
        .map(|item| Item {
            id: item.id,
            input: item.input,
            answer: item.answer,
            reference: item.reference,
            other: item.other.filter(|_| pairwise),
        })
        .collect();
    Ok((Sheet { title: name.to_owned(), about, items, dimensions, pairwise }, folder))
}

/// The sheet of a file, on the scale that was typed.
fn sheet_of_file(file: &Path, args: &ServeArgs) -> Result<Sheet, Failure> {
    let mut items = items(file)?;
    let pairwise = args.scale.is_empty() && items.iter().all(|item| item.other.is_some());
    if !pairwise {
        for item in &mut items {
            item.other = None;
        }
    }
    if args.scale.is_empty() && !pairwise {
        return Err(Failure::input("give the grades with --scale, worst first".to_owned()).hint("--scale 0,1,2,3"));
    }
    let grade = |text: &String| {
        Grade::read(text).map(Level::plain).ok_or_else(|| Failure::input("--scale has an empty grade".to_owned()))
    };
    let levels =
        if pairwise { Level::preferences() } else { args.scale.iter().map(grade).collect::<Result<Vec<_>, _>>()? };
    let mut names = args.dimension.clone();
    if names.is_empty() {
        names.push("overall".to_owned());
    }
    let dimension = |name: String| Dimension { name, about: String::new(), levels: levels.clone() };
    let title = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Ok(Sheet { title, about: String::new(), items, dimensions: names.into_iter().map(dimension).collect(), pairwise })
}

/// The lines of a file of items; slice labels and whatever else a line has are not even read.
fn items(path: &Path) -> Result<Vec<Item>, Failure> {
    #[derive(Deserialize)]
    struct Line {
        id: Value,
        #[serde(default)]
        input: Value,
        answer: Value,
        reference: Option<Value>,
        other: Option<Value>,
    }
    let mut items = Vec::new();
    for_each_line::<TableError>(path, |number, text| {
        let wrong = |reason: String| TableError::Line { path: path.to_owned(), line: number, reason };
        let line: Line = serde_json::from_str(text).map_err(|error| wrong(json_reason(&error)))?;
        let id = match line.id {
            Value::String(id) if !id.is_empty() => id,
            Value::Number(id) => id.to_string(),
            _ => return Err(wrong("`id` is neither a text nor a number".to_owned())),
        };
        let Line { input, answer, reference, other, .. } = line;
        items.push(Item { id, input, answer, reference, other });
        Ok(())
    })?;
    if items.is_empty() {
        return Err(Failure::input(format!("{}: no items to grade", path.display())));
    }
    Ok(items)
}

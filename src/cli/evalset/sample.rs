//! `evalgauge evalset sample`: some examples in the proportions of the labels.

use std::io::{BufWriter, ErrorKind, Write};

use super::args::SampleArgs;
use crate::cli::args::Global;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::config::Project;
use crate::evalset::{EvalsetError, Example, Ranking};
use crate::gate::Exit;
use crate::table::{AtomicFile, Line, TableError, for_each_block};

pub(super) fn run(args: &SampleArgs, project: &Project, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let (folder, version) = project.evalset_version(Some(&args.name))?;
    let seed = global.seed.unwrap_or(project.config.seed);
    let lots = Ranking::new(seed);
    let mut ranking = Ranking::new(seed);
    folder.scan(
        &version,
        |_: Line<'_>, example: Example| (lots.lot(&example.id), example.labels),
        |(lot, labels)| {
            ranking.add(lot, &labels);
            Ok(())
        },
    )?;
    let keep = ranking.keep(args.size.get());
    drop(ranking);
    let path = folder.file(&version);
    let mut chosen = 0_usize;
    let mut keep = keep.into_iter();
    // Every chosen line as it stands in the file, in its order.
    let mut each = |sink: &mut (dyn Write + Send)| -> Result<(), EvalsetError> {
        let found = for_each_block(&path, |block| {
            for line in block.lines().iter().filter(|_| keep.next() == Some(true)) {
                chosen += 1;
                sink.write_all(line.bytes)
                    .and_then(|()| sink.write_all(b"\n"))
                    .map_err(TableError::io("the sample"))?;
            }
            Ok::<(), EvalsetError>(())
        })?;
        sink.flush().map_err(TableError::io("the sample"))?;
        if found == version.sha256 { Ok(()) } else { Err(EvalsetError::Changed { path: path.clone() }) }
    };
    match output.file() {
        Some(file) if !std::fs::symlink_metadata(file).is_ok_and(|there| !there.is_file()) => {
            let mut part = AtomicFile::create(file)?;
            each(&mut part)?;
            part.commit()?;
        }
        // A device or a pipe is written to and never replaced.
        Some(file) => {
            let open = std::fs::OpenOptions::new().write(true).open(file).map_err(TableError::io(file))?;
            each(&mut BufWriter::new(open))?;
        }
        None => match each(&mut BufWriter::new(std::io::stdout())) {
            // A reader that has seen enough (`| head`).
            Err(EvalsetError::File(TableError::Io { source, .. })) if source.kind() == ErrorKind::BrokenPipe => {}
            other => other?,
        },
    }
    output.note(&format!(
        "{chosen} of {} examples of {}@{}, seed {seed}",
        version.examples,
        folder.description().name,
        version.tag
    ));
    Ok(Exit::Pass)
}

//! `khaosat bundle frames`.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use sync_core::bundle::frames::{BUNDLE_BYTES, FrameReader, FrameWriter, USUAL_SYMBOL_BYTES};

use super::{Failure, read_limited, write_new};
use crate::cli::qr;

/// Milliseconds that a frame is shown: what cheap phones' cameras keep up with.
const SHOWN_MILLISECONDS: u32 = 250;
/// Characters of a line of frames at most; longer ones are no frames.
const LINE_BYTES: u64 = 8 << 10;
/// Lines that are read at most.
const LINES: usize = 1 << 20;

/// What to turn into what.
#[derive(Debug, Args)]
pub(in crate::cli) struct FramesArguments {
    /// The bundle; with --read the text lines of the frames, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write: NAME.html for a page that shows the frames one after the other, - for text lines on standard
    /// output; with --read the bundle
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Restore a bundle from frames instead
    #[arg(long)]
    read: bool,
    /// How many frames for each ten that are needed; a camera misses some
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(10..=100))]
    per_ten: u32,
}

pub(super) fn run(arguments: &FramesArguments) -> Result<(), Failure> {
    if arguments.read {
        return read(arguments);
    }
    let bundle = read_limited(&arguments.file, BUNDLE_BYTES as u64).map_err(|failure| {
        Failure::new(
            format!("{}; chỉ chiếu được gói nhỏ", failure.text.vi),
            format!("{}; only small bundles can be shown", failure.text.en),
        )
    })?;
    // What is no bundle is not worth showing.
    super::open(&arguments.file, &bundle)?;
    let writer = FrameWriter::new(&bundle, USUAL_SYMBOL_BYTES).map_err(told)?;
    let needed = u32::try_from(writer.needed()).unwrap_or(u32::MAX);
    let count = needed.saturating_mul(arguments.per_ten).div_ceil(10).saturating_add(2);
    let frames = (0..count).map(|number| writer.frame(number));
    if arguments.output == Path::new("-") {
        let mut output = std::io::stdout().lock();
        for frame in frames {
            writeln!(output, "{frame}")?;
        }
        return Ok(output.flush()?);
    }
    write_new(&arguments.output, page(frames)?.as_bytes())?;
    println!("Đã ghi {count} khung, cần ít nhất {needed}. ({count} frames written; at least {needed} are needed)");
    Ok(())
}

fn read(arguments: &FramesArguments) -> Result<(), Failure> {
    let input: Box<dyn Read> = match arguments.file == Path::new("-") {
        true => Box::new(std::io::stdin()),
        false => Box::new(std::fs::File::open(&arguments.file)?),
    };
    let mut input = BufReader::new(input);
    let mut reader = FrameReader::new();
    let (mut received, mut needed) = (0, 0);
    for number in 1..=LINES {
        let mut line = Vec::new();
        if input.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        // Spaces belong to the alphabet of frames, also at the end.
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            continue;
        }
        let progress = reader.take(text).map_err(|error| {
            Failure::new(
                format!("dòng {number}: {}", error.vietnamese()),
                format!("line {number}: {error}"),
            )
            .of_file(&arguments.file)
        })?;
        (received, needed) = (progress.received, progress.needed);
        if let Some(bundle) = progress.bundle {
            write_new(&arguments.output, &bundle)?;
            println!("Đã khôi phục gói từ {received} khung. (Bundle restored from {received} frames)");
            return Ok(());
        }
    }
    Err(Failure::new(
        format!("có {received} khung khác nhau, cần ít nhất {needed}; hãy đọc thêm"),
        format!("there are {received} different frames, at least {needed} are needed; read more"),
    ))
}

/// One page with everything in it that shows the frames in turn, without end.
fn page(frames: impl Iterator<Item = String>) -> Result<String, Failure> {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html lang=\"vi\"><meta charset=\"utf-8\"><title>Khảo Sát</title>\n\
         <style>body{margin:0;background:#fff;text-align:center}svg{width:96vmin;height:96vmin}\
         svg+svg{display:none}</style>\n",
    );
    for frame in frames {
        page.push_str(&qr::element(&frame)?);
    }
    let _ = write!(
        page,
        "<script>const f=document.querySelectorAll('svg');let n=0;setInterval(()=>{{f[n].style.display='none';\
         n=(n+1)%f.length;f[n].style.display='inline'}},{SHOWN_MILLISECONDS})</script>\n</html>\n"
    );
    Ok(page)
}

fn told(error: sync_core::bundle::frames::FrameError) -> Failure {
    Failure::new(error.vietnamese(), error.to_string())
}

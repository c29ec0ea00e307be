//! Files with one word of theirs replaced by another, whatever it is.

use crate::analyst::Analyst;
use crate::bad_input::{DATA, DESIGN};

/// Every cell, key and value of the files in turn replaced by what may stand there by mistake.
#[test]
fn whatever_stands_in_the_files_is_answered() {
    let design = format!(
        "{DESIGN}[calibration]\nmethod = \"linear\"\n[[calibration.margin]]\ncolumn = \"sex\"\ntotals = {{ nam = 6, nu = 7 }}\n\
         [replicates]\nmethod = \"jkn\"\n"
    );
    let registry = "code,kind,numerator,denominator,domain\nA,mean,age,,\nO,proportion,owns,,age >= 25\nR,ratio,age,w,\n\
                    T,total,owns,,sex = nu\n";
    let analyst = Analyst::new(DATA, &design, registry);
    let (estimated, refused) = answers(
        &analyst,
        "sex",
        &[("data.csv", DATA), ("design.toml", &design), ("registry.csv", registry)],
    );
    assert!(
        estimated > 100 && refused > 300,
        "{estimated} estimated, {refused} refused"
    );
}

/// The same of what a design may ask for beside estimates.
#[test]
fn whatever_stands_in_the_further_files_is_answered() {
    let design = "weights = \"w\"\n[small_areas]\ncolumn = \"cluster\"\nfile = \"areas.csv\"\ncovariates = [\"x\"]\n\
                  population = \"people\"\nbenchmark = \"ratio\"\nsmoothing = \"design_effect\"\n\
                  [publication]\nminimum_respondents = 2\nrespondent = \"stratum\"\n\
                  [hot_deck]\nclasses = [\"stratum\"]\nimputations = 3\nseed = 1\n";
    let data = "w,stratum,cluster,owns\n1,a,A,1\n1,b,A,0\n1,a,B,1\n1,b,B,\n2,a,C,0\n1,b,C,1\n1,a,D,1\n1,b,D,0\n";
    let areas = "cluster,x,people\nA,1,10\nB,2,20\nC,2.5,30\nD,4,5\nE,3,7\n";
    let analyst = Analyst::new(data, design, "code,kind,numerator\nO,proportion,owns\n");
    analyst.write("areas.csv", areas);
    let (estimated, refused) = answers(&analyst, "cluster", &[("design.toml", design), ("areas.csv", areas)]);
    assert!(
        estimated > 30 && refused > 200,
        "{estimated} estimated, {refused} refused"
    );
}

/// How many of the files with a word replaced are estimated from, and how many are refused.
fn answers(analyst: &Analyst, by: &str, files: &[(&str, &str)]) -> (usize, usize) {
    let run = || analyst.run(&["--by", by, "--format", "csv"]);
    run().success();
    let (mut estimated, mut refused) = (0, 0);
    for &(name, sound) in files {
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let starts = sound.char_indices().filter(|&(place, character)| {
            is_word(character) && !sound[..place].chars().next_back().is_some_and(is_word)
        });
        for (start, _) in starts {
            let end = sound[start..]
                .find(|character| !is_word(character))
                .map_or(sound.len(), |length| start + length);
            for odd in [
                "",
                "NA",
                "-1",
                "0",
                "1e308",
                "1e-320",
                "\"",
                "[",
                "age > > 3",
                "\u{1F4DE}",
            ] {
                analyst.write(name, &format!("{}{odd}{}", &sound[..start], &sound[end..]));
                let ended = run();
                assert!(
                    !ended.stderr.contains("panicked"),
                    "{name} with {odd:?} at {start}: {}",
                    ended.stderr
                );
                match ended.status.code() {
                    Some(0) => estimated += 1,
                    Some(1) => refused += 1,
                    other => panic!("{name} with {odd:?} at {start}: {other:?}"),
                }
                assert_eq!(ended.status.success(), ended.stderr.is_empty(), "{}", ended.stderr);
                let mut cells = ended.text().split([',', '\n']);
                let no_number = cells.find(|cell| ["NaN", "inf", "-inf"].contains(cell));
                assert_eq!(no_number, None, "{name} with {odd:?} at {start}: {}", ended.text());
                assert_eq!(ended.status.success(), !ended.stdout.is_empty(), "{}", ended.stderr);
            }
        }
        analyst.write(name, sound);
    }
    (estimated, refused)
}

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
    analyst.run(&[]).success();
    let (mut estimated, mut refused) = (0, 0);
    for (name, sound) in [("data.csv", DATA), ("design.toml", &design), ("registry.csv", registry)] {
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
                let ended = analyst.run(&["--by", "sex", "--format", "csv"]);
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
                assert_eq!(ended.status.success(), !ended.stdout.is_empty(), "{}", ended.stderr);
            }
        }
        analyst.write(name, sound);
    }
    assert!(
        estimated > 100 && refused > 300,
        "{estimated} estimated, {refused} refused"
    );
}

use super::render::{counts, directory_problem, written};
use super::{Failure, Outcome, Selection, applied, causes, diff};
use crate::revision;
use crate::terminal::Terminal;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use vigil::size::add_series;
use vigil_check::Report;
use vigil_diff::{Class, Diff};
use vigil_directory::Changes;
use vigil_yaml::words::counted;
use vigil_yaml::{Problem, Severity};

/// Judge a pull request: manifests up to date, clean, and what applying them over the base does
///
/// In GitHub Actions findings are annotations, the base is that of the pull request, and the comment is in the summary of the
/// job as well. In GitLab CI the base is that of the merge request. `docs/ci.md` has a workflow for both.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil ci                                      against the last commit
  vigil ci --base origin/main --fail-on refused,data-loss
  vigil ci --comment vigil.md --full whole.md   a comment that a code host takes, and all of it

Exit status: 0 good, 1 stale, not clean, or with an effect of --fail-on, 2 not judged")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// The directory of the manifests
    #[arg(long, value_name = "DIR", default_value = "manifests")]
    out: PathBuf,
    /// The revision of git that is applied now; without it that of the pull request, or the last commit
    #[arg(long, value_name = "REVISION")]
    base: Option<String>,
    /// Fail for effects of these classes
    #[arg(long, value_name = "CLASS", value_delimiter = ',', value_parser = diff::classes())]
    fail_on: Vec<Class>,
    /// Where to write the comment, in Markdown, no longer than a code host takes
    #[arg(long, value_name = "FILE")]
    comment: Option<PathBuf>,
    /// Where to write all of it, however long
    #[arg(long, value_name = "FILE")]
    full: Option<PathBuf>,
}

/// The first line of a comment, by which the next one finds it.
const MARK: &str = "<!-- vigil ci -->";

/// The longest comment that GitHub takes, in letters.
const LONGEST: usize = 65_536;

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    match judged(arguments) {
        Ok(judged) => {
            arguments.deliver(&judged.markdown(arguments))?;
            terminal.product(&judged.text())?;
            let out = &arguments.out;
            vigil_directory::seen(out).map_err(|error| failure(vec![directory_problem(out, &error)]))?;
            Ok(if judged.is_good { Outcome::Clean } else { Outcome::Differs })
        }
        Err(problems) => {
            let drawn: Vec<_> = problems.iter().map(|problem| problem.draw(false)).collect();
            let fence = fence(&drawn.join("\n"));
            arguments.deliver(&format!(
                "{MARK}\n### Vigil could not judge this\n\n{fence}text\n{}\n{fence}\n",
                drawn.join("\n\n")
            ))?;
            Err(failure(problems))
        }
    }
}

fn failure(problems: Vec<Problem>) -> Failure {
    Failure::new(problems, "the change was not judged")
}

/// A fence that ends nowhere in a text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

/// What came of it.
struct Judged {
    stack: String,
    base: String,
    stale: Changes,
    /// The build of this program has written the manifests already.
    is_written: bool,
    report: Report,
    diff: Diff,
    /// Effects that shall not be.
    refused: Vec<Class>,
    is_good: bool,
}

fn judged(arguments: &Arguments) -> Result<Judged, Vec<Problem>> {
    let rendered = arguments.selection.render()?;
    let (options, _) = vigil::checks::options(&rendered.parsed);
    let report = vigil_check::check(&rendered.sources(&arguments.out), &options);
    let refuse = |error: vigil_directory::Error| vec![directory_problem(&arguments.out, &error)];
    let (stale, is_stale) = written(&arguments.out, &rendered.rendering).map_err(refuse)?;
    let base = arguments.base();
    if arguments.out.is_absolute() {
        let problem = Problem::in_file("is no path that git could have", arguments.out.display().to_string());
        return Err(vec![problem.help("name the folder by its path from the one you are in")]);
    }
    let path = format!("./{}", arguments.out.display());
    let before = PathBuf::from(format!("{base}:{path}"));
    // The first change of all has nothing to be compared with.
    let is_first = !revision::has(&base, &path).map_err(|problem| vec![*problem])?;
    let old = if is_first { Vec::new() } else { diff::objects(&before)? };
    let minor = options.kubernetes.first().map_or(0, |version| version.minor().into());
    let options = vigil_diff::Options { minor };
    let mut diff = vigil_diff::compare(&old, &applied(&rendered.rendering), options);
    add_series(&mut diff.totals);
    if !is_first {
        causes::find(&mut diff, &before, &arguments.selection, options);
    }
    let has = |class: &Class| diff.of(*class).next().is_some();
    let refused: Vec<_> = arguments.fail_on.iter().copied().filter(has).collect();
    let is_good = stale.is_empty() && report.is_clean() && refused.is_empty();
    Ok(Judged { stack: rendered.name, base, stale, is_written: !is_stale, report, diff, refused, is_good })
}

impl Arguments {
    /// What the change is compared with.
    fn base(&self) -> String {
        let said = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let of_github = || said("GITHUB_BASE_REF").map(|branch| format!("origin/{branch}"));
        let of_gitlab = || said("CI_MERGE_REQUEST_DIFF_BASE_SHA");
        self.base.clone().or_else(of_github).or_else(of_gitlab).unwrap_or_else(|| "HEAD".to_owned())
    }

    /// Writes a comment to where it is wanted.
    fn deliver(&self, whole: &str) -> Result<(), Failure> {
        let failed = |path: &Path, error: &std::io::Error| {
            failure(vec![Problem::in_file(format!("cannot be written: {error}"), path.display().to_string())])
        };
        let rest = self.full.as_ref().map(|full| full.display().to_string());
        for (path, text) in [(&self.comment, cut(whole, LONGEST, rest.as_deref())), (&self.full, whole.to_owned())] {
            if let Some(path) = path {
                fs::write(path, text).map_err(|error| failed(path, &error))?;
            }
        }
        if let Some(summary) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
            let path = Path::new(&summary);
            let mut file =
                OpenOptions::new().append(true).create(true).open(path).map_err(|error| failed(path, &error))?;
            // Twenty times as long as a comment may be.
            file.write_all(cut(whole, 16 * LONGEST, rest.as_deref()).as_bytes())
                .map_err(|error| failed(path, &error))?;
        }
        Ok(())
    }
}

impl Judged {
    /// The three verdicts: what was asked, and the answer.
    fn verdicts(&self) -> [(&'static str, String); 3] {
        let stale = if self.stale.is_empty() {
            "up to date".to_owned()
        } else {
            let remedy = if self.is_written {
                "commit what the build has changed"
            } else {
                "run `vigil render` and commit what it changes"
            };
            format!("stale: {}; {remedy}", counts(&self.stale))
        };
        let (errors, warnings) = (self.report.count(Severity::Error), self.report.count(Severity::Warning));
        let check = if self.report.is_clean() {
            format!("clean, {}", counted(self.report.objects.len(), "object"))
        } else {
            format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"))
        };
        let mut effects = vigil_diff::report::summary(&self.diff);
        if !self.refused.is_empty() {
            let classes: Vec<_> = self.refused.iter().map(|class| class.id()).collect();
            let _ = write!(effects, "; not allowed here: {}", classes.join(", "));
        }
        [("manifests", stale), ("check", check), ("effects", effects)]
    }

    fn markdown(&self, arguments: &Arguments) -> String {
        let sign = if self.is_good { "✅" } else { "❌" };
        let mut out = format!("{MARK}\n### {sign} `{}` over `{}`\n\n| | |\n|---|---|\n", self.stack, self.base);
        for (asked, answer) in self.verdicts() {
            let _ = writeln!(out, "| {asked} | {} |", answer.replace('|', "\\|"));
        }
        if !self.report.is_clean() {
            let text = vigil_check::report::text(&self.report, usize::MAX, false);
            let fence = fence(&text);
            let _ = write!(out, "\n{fence}text\n{}\n{fence}\n", text.trim_end());
        }
        out.push('\n');
        out.push_str(&vigil_diff::report::markdown(&self.diff));
        let _ = writeln!(out, "\n<sub>`vigil ci`, {}</sub>", arguments.out.display());
        out
    }

    fn text(&self) -> String {
        let mut out = String::new();
        if env::var_os("GITHUB_ACTIONS").is_some() {
            out.push_str(&vigil_check::report::github(&self.report));
        } else if !self.report.is_clean() {
            out.push_str(&vigil_check::report::text(&self.report, usize::MAX, false));
        }
        out.push_str(&vigil_diff::report::text(&self.diff, false, false));
        out.push('\n');
        for (asked, answer) in self.verdicts() {
            let _ = writeln!(out, "{asked:9}  {answer}");
        }
        out
    }
}

/// A text of Markdown in no more than so many letters: whole lines, and what they open is closed.
fn cut(text: &str, longest: usize, rest: Option<&str>) -> String {
    let letters = |text: &str| text.chars().count();
    if letters(text) <= longest {
        return text.to_owned();
    }
    let elsewhere = rest.map_or("`--full FILE` writes all of it".to_owned(), |rest| format!("`{rest}` has all of it"));
    // Room for what ends it.
    let budget = longest.saturating_sub(600);
    let (mut out, mut used, mut fence, mut folds) = (String::new(), 0, None, 0_usize);
    for line in text.lines() {
        used += letters(line) + 1;
        if used > budget {
            break;
        }
        let ticks = line.trim_start().chars().take_while(|c| *c == '`').count();
        match fence {
            None if ticks > 2 => fence = Some(ticks),
            Some(open) if ticks >= open => fence = None,
            _ => {}
        }
        if fence.is_none() {
            folds += line.matches("<details>").count();
            folds = folds.saturating_sub(line.matches("</details>").count());
        }
        out.push_str(line);
        out.push('\n');
    }
    if let Some(ticks) = fence {
        let _ = writeln!(out, "{}", "`".repeat(ticks));
    }
    for _ in 0..folds {
        out.push_str("\n</details>\n");
    }
    let _ = writeln!(out, "\n**Cut here**, {} letters of {}: {elsewhere}.", letters(&out), letters(text));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_cut_between_lines_and_ends_what_it_opens() {
        let long =
            format!("{MARK}\n<details><summary>a</summary>\n\n```sh\n{}```\n\n</details>\n", "echo ü\n".repeat(500));
        let cut = cut(&long, 1000, Some("all.md"));
        assert!(cut.chars().count() <= 1000, "{}", cut.chars().count());
        assert!(
            cut.ends_with("echo ü\n```\n\n</details>\n\n**Cut here**, 414 letters of 3571: `all.md` has all of it.\n"),
            "{cut}"
        );
        assert_eq!(super::cut("short\n", 1000, None), "short\n");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        for (text, expected) in [("", "```"), ("a ` b", "```"), ("```\n", "````"), ("`````", "``````")] {
            assert_eq!(fence(text), expected, "{text}");
        }
    }
}

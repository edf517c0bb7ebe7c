//! Programs that run beside a proof. Each ends with the proof that started it, however that one ends.

use crate::failure::{Context, Failure, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The subcommand of this program that becomes another program; see [`hold`].
pub(crate) const HOLD: &str = "hold";

/// How often something is asked that takes its time.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a program may take to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// The programs that run.
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A running program. Dropping it ends it.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program whose output goes to `logs/name.log`.
    pub(crate) fn start<A: AsRef<OsStr>>(
        name: &str,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        environment: &[(&str, &OsStr)],
        logs: &Path,
    ) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let file = File::create(&log).context(log.display())?;
        let child = Command::new(own_program()?)
            .arg(HOLD)
            .arg(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(logs)
            .stdin(Stdio::null())
            .stdout(file.try_clone().context(log.display())?)
            .stderr(file)
            .spawn()
            .context(program.display())?;
        running().extend(i32::try_from(child.id()));
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// Waits until it is `ready`. A program that ends before that, or takes too long, is a failure that shows the end
    /// of its log.
    pub(crate) fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        self.watch_until(PAUSE, limit, |_| ready())
    }

    /// The same for who looks at the program itself, after every `pause`.
    pub(crate) fn watch_until(
        &mut self,
        pause: Duration,
        limit: Duration,
        mut ready: impl FnMut(&Self) -> bool,
    ) -> Result<()> {
        let start = Instant::now();
        while !ready(self) {
            let ended = self.child.try_wait().context(&self.name)?;
            let problem = match ended {
                Some(status) => format!("ended ({status}) before it was ready"),
                None if start.elapsed() > limit => format!("is not ready after {} s", limit.as_secs()),
                None => {
                    sleep(pause);
                    continue;
                }
            };
            return Err(Failure::new(format!("{} {problem}:\n{}", self.name, end(&self.log()))));
        }
        Ok(())
    }

    /// The memory that it has and that is no file's, in bytes: what the kernel cannot take back from it.
    pub(crate) fn anonymous_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?.trim().strip_suffix(" kB")?;
        Some(kilobytes.parse::<u64>().ok()? << 10)
    }

    /// The time that cores have worked for it, however long it had to wait for one.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let of = |thread: &Path| -> Option<u64> {
            fs::read_to_string(thread.join("schedstat")).ok()?.split(' ').next()?.parse().ok()
        };
        Some(Duration::from_nanos(threads.filter_map(|thread| of(&thread.ok()?.path())).sum()))
    }

    /// Ends it as the kernel ends what has taken too much memory: without a word.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it has said up to now.
    pub(crate) fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).unwrap_or(0);
        running().remove(&id);
        // One that has ended and was waited for has lost its id, which may be another's now.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        if let Some(pid) = Pid::from_raw(id)
            && kill_process(pid, Signal::TERM).is_ok()
            && wait_for(GRACE, || !matches!(self.child.try_wait(), Ok(None)))
        {
            return;
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This program, also after a build has put another one in its place.
fn own_program() -> Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe().context("this program's own path") }
}

/// Ends everything at once, for a run that a signal ends.
pub(crate) fn kill_all() {
    for pid in running().iter().copied().filter_map(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn running() -> MutexGuard<'static, BTreeSet<i32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Becomes `command`, which the kernel ends when the process that started this one is gone, even when that one was
/// killed and could clean up nothing.
pub(crate) fn hold(command: &[OsString]) -> Result<()> {
    use std::os::unix::process::CommandExt as _;

    let [program, arguments @ ..] = command else { return Err(Failure::new("hold: no program")) };
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).context("hold")?;
    Err(Failure::new(format!("{}: {}", program.display(), Command::new(program).args(arguments).exec())))
}

/// Asks until the answer is yes; `false` when it was never so within the limit.
pub(crate) fn wait_for(limit: Duration, mut yes: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if yes() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        sleep(PAUSE);
    }
}

/// A port of the loopback that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("a free port")?;
    Ok(listener.local_addr().context("a free port")?.port())
}

/// What a log ends with; of a program of Go that crashed why it did, before all that its routines were doing.
fn end(log: &str) -> String {
    let crash = log.lines().position(|line| line.starts_with("panic:") || line.starts_with("fatal error:"));
    let from = crash.map(|at| log.lines().skip(at).take(30).collect::<Vec<_>>().join("\n"));
    from.unwrap_or_else(|| tail(log, 15))
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

//! How far something is that takes longer than one waits without a word.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long nothing is said: what is done by then needs no word.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the line is drawn anew.
const PERIOD: Duration = Duration::from_millis(200);

/// One line on a terminal that is there as long as this is.
#[derive(Default)]
pub(crate) struct Progress {
    done: Arc<AtomicUsize>,
    /// What draws; it ends when the other end of the channel goes.
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Draws what is done, `checking clusters`, and with a total how many of them are.
    pub(crate) fn new(out: impl Write + Send + 'static, doing: String, total: Option<usize>) -> Self {
        Self::after(PATIENCE, out, doing, total)
    }

    fn after(patience: Duration, out: impl Write + Send + 'static, doing: String, total: Option<usize>) -> Self {
        let done = Arc::new(AtomicUsize::new(0));
        let (end, ended) = mpsc::channel();
        let line = Line { doing, total, done: Arc::clone(&done), begun: Instant::now() };
        let drawing = thread::spawn(move || {
            let mut out = out;
            if ended.recv_timeout(patience) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            loop {
                // Nobody is left to be told when stderr is gone.
                let _ = write!(out, "\r\x1b[K{}", line.text()).and_then(|()| out.flush());
                if ended.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            let _ = write!(out, "\r\x1b[K").and_then(|()| out.flush());
        });
        Self { done, drawing: Some((end, drawing)) }
    }

    /// Notes that one more is done.
    pub(crate) fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, drawing)) = self.drawing.take() {
            drop(end);
            // The line is taken away before anything else is written.
            let _ = drawing.join();
        }
    }
}

struct Line {
    doing: String,
    total: Option<usize>,
    done: Arc<AtomicUsize>,
    begun: Instant,
}

impl Line {
    fn text(&self) -> String {
        let (doing, seconds) = (&self.doing, self.begun.elapsed().as_secs());
        match self.total {
            Some(total) => format!("{doing}: {} of {total}, {seconds} s", self.done.load(Ordering::Relaxed)),
            None => format!("{doing}: {seconds} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::Mutex;

    /// A terminal that keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<String>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_is_said_of_what_is_quick() {
        let kept = Kept::default();
        drop(Progress::after(Duration::from_secs(600), kept.clone(), "checking".to_owned(), None));
        assert_eq!(*kept.0.lock().unwrap(), "");
    }

    #[test]
    fn the_line_is_taken_away() {
        for (total, expected) in [(Some(3), "checking: 1 of 3, "), (None, "checking: ")] {
            let kept = Kept::default();
            let progress = Progress::after(Duration::ZERO, kept.clone(), "checking".to_owned(), total);
            progress.step();
            while !kept.0.lock().unwrap().contains(expected) {
                thread::sleep(Duration::from_millis(1));
            }
            drop(progress);
            let said = kept.0.lock().unwrap();
            assert!(said.ends_with(" s\r\x1b[K"), "{said:?}");
            assert!(!said.contains('\n'), "{said:?}");
        }
    }
}

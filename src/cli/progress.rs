//! Progress on the terminal, and Ctrl-C.

use indicatif::{ProgressBar, ProgressStyle};
use retrace::watch::Watch;
use retrace::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A bar for the current task, whole lines above it.
pub struct Terminal {
    stopped: Arc<AtomicBool>,
    bar: Mutex<Option<(String, ProgressBar)>>,
}

impl Terminal {
    /// Listens for Ctrl-C: the first asks to stop at the next safe point, the second stops at once.
    pub fn new() -> Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stopped);
        let listen = move || {
            if seen.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            eprintln!("stopping at the next safe point (again to stop at once)");
        };
        ctrlc::set_handler(listen).map_err(|error| Error::value("Ctrl-C handler", "one to be set", error))?;
        Ok(Self { stopped, bar: Mutex::new(None) })
    }

    /// Removes the bar before the table is printed.
    pub fn clear(&self) {
        if let Some((_, bar)) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Terminal {
    fn advance(&self, task: &str, done: usize, total: usize) {
        let mut slot = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_none_or(|(name, _)| name != task) {
            if let Some((_, bar)) = slot.take() {
                bar.finish_and_clear();
            }
            let bar = ProgressBar::new(total as u64).with_message(task.to_string());
            let style = ProgressStyle::with_template("{msg:>10} {bar:32} {pos}/{len}, {eta} to go");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_position(done as u64);
            bar.reset_eta(); // a resumed training starts in the middle
            *slot = Some((task.to_string(), bar));
        }
        let Some((_, bar)) = slot.as_ref() else { return };
        bar.set_length(total as u64); // an epoch can have a batch fewer than the last
        // Threads report out of order.
        if done as u64 > bar.position() {
            bar.set_position(done as u64);
        }
        if done >= total {
            bar.finish_and_clear();
            *slot = None;
        }
    }

    fn note(&self, line: &str) {
        match self.bar.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some((_, bar)) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

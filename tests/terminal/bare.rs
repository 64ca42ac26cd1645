//! A terminal that nobody reads from, so that it can be taken away under the program: whoever reads would keep it there.

use std::time::Duration;

use portable_pty::{Child, PtyPair, native_pty_system};

use super::{command, modes, size};
use crate::support::{Project, is_alive, ticks, wait_for};

/// The program leaves within a second; on a machine that has much else to do, that is seen later.
const SOON: Duration = Duration::from_secs(10);

/// Such a terminal with a program in it.
pub struct Bare {
    pair: PtyPair,
    child: Box<dyn Child + Send + Sync>,
    modes_before: String,
    pid: u32,
}

impl Bare {
    /// Starts a program in the folder and the environment of a project.
    pub fn run(project: &Project, program: &str, arguments: &[&str]) -> Self {
        let pair = native_pty_system().openpty(size(80, 24)).unwrap();
        let modes_before = modes(&pair);
        let child = pair.slave.spawn_command(command(project, program, arguments)).unwrap();
        let pid = child.process_id().unwrap();
        Self { pair, child, modes_before, pid }
    }

    /// Whether the modes are another than before the program came.
    pub fn is_raw(&self) -> bool {
        modes(&self.pair) != self.modes_before
    }

    /// Takes the terminal away and waits for the end of the program; the ticks of the processor, of 10 ms on most machines,
    /// that it used on its way out.
    #[track_caller]
    pub fn vanish(self) -> u64 {
        let Self { pair, mut child, pid, .. } = self;
        let before = ticks(pid);
        drop(pair);
        wait_for("the end of a program without a terminal", SOON, || (!is_alive(pid)).then_some(()));
        // Nobody has asked how it ended, so what it used is still told.
        let used = ticks(pid) - before;
        child.wait().unwrap();
        used
    }
}

//! The threads that workers run on: their own, and behind those that answer calls. Which of them goes on where there are
//! not processors enough is for the system to say, which knows it at every instant: a call that arrives is taken up at
//! once, and what is left is the workers'.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads for workers. Dropped, they are left to themselves: nobody waits for what still blocks one.
#[derive(Debug)]
pub struct Threads {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Threads {
    /// As many as there are processors, and more for what blocks.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("workers")
            .on_thread_start(step_back()?)
            .enable_all()
            .build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// What starts something on them.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// How far behind: where both want a processor, a worker gets a tenth of what a call gets, so that a flood of calls does
/// not stop it altogether (`sched(7)`, "The nice value").
#[cfg(target_os = "linux")]
const STEPS_BACK: i32 = 10;

/// Puts the thread that calls it so far behind the one that asks for it now, and not behind the one that starts it: where
/// a worker's thread starts another, that would be twice as far.
#[cfg(target_os = "linux")]
fn step_back() -> io::Result<impl Fn() + Send + Sync> {
    use rustix::process::{getpriority_process, setpriority_process};
    let place = getpriority_process(None)? + STEPS_BACK;
    Ok(move || {
        if let Err(error) = setpriority_process(None, place) {
            tracing::debug!(%error, "a thread of the workers does not step back");
        }
    })
}

/// Only Linux can do it for a thread alone.
#[cfg(not(target_os = "linux"))]
fn step_back() -> io::Result<impl Fn() + Send + Sync> {
    Ok(|| ())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;
    use tokio::task::spawn_blocking;

    use super::*;

    #[tokio::test]
    async fn they_step_back_and_nobody_else_does() {
        let before = getpriority_process(None).unwrap();
        let threads = Threads::start().unwrap();
        let one_and_its_helper = threads.handle().spawn(async {
            let helper = spawn_blocking(|| getpriority_process(None)).await;
            [getpriority_process(None), helper.unwrap()]
        });
        for asked in one_and_its_helper.await.unwrap() {
            assert_eq!(asked.unwrap(), (before + STEPS_BACK).min(19));
        }
        let elsewhere = spawn_blocking(|| getpriority_process(None)).await;
        assert_eq!(elsewhere.unwrap().unwrap(), before);
    }
}

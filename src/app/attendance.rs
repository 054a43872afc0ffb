//! Ends connections on which nothing goes on. Actix has a time limit for the first head of a connection
//! and for the pause between two calls, but none for a later head that comes a byte a minute, nor for
//! somebody who never takes the answer.

use std::any::Any;
use std::error::Error;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::middleware::Next;
use actix_web::rt;
use actix_web::web::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::http::{EVENT_STREAM, SHEET};

/// The calls of one connection.
#[derive(Clone, Copy, Default)]
struct Calls {
    /// Being answered.
    open: usize,
    /// So far.
    begun: u64,
}

/// Stands at the connection for as long as there is one.
#[derive(Clone)]
struct Visit(Arc<watch::Sender<Calls>>);

/// A call being answered, also if it is given up.
struct Open(Visit);

impl Visit {
    fn begin(self) -> Open {
        self.0.send_modify(|calls| {
            calls.open += 1;
            calls.begun += 1;
        });
        Open(self)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.send_modify(|calls| calls.open -= 1);
    }
}

/// Attends to a new connection: from one answer to the next call, or to the end, it may take as long as
/// `patience`.
pub(super) fn attend(socket: &dyn Any, data: &mut Extensions, patience: Duration) {
    // A second handle of the same socket; the connection itself belongs to actix.
    let handle = socket
        .downcast_ref::<rt::net::TcpStream>()
        .and_then(|socket| socket.as_fd().try_clone_to_owned().ok());
    let Some(handle) = handle else { return };
    let (visit, calls) = watch::channel(Calls::default());
    data.insert(Visit(Arc::new(visit)));
    tokio::spawn(end_when_idle(TcpStream::from(handle), calls, patience));
}

async fn end_when_idle(socket: TcpStream, mut calls: watch::Receiver<Calls>, patience: Duration) {
    // An error of the channel means that the connection has ended.
    while let Ok(idle) = calls.wait_for(|calls| calls.open == 0).await.map(|c| *c) {
        let next = calls.wait_for(|calls| calls.begun > idle.begun);
        match timeout(patience, next).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                tracing::debug!("a connection was ended on which nothing went on");
                // It may have ended meanwhile.
                let _ = socket.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}

/// An answer. A stream goes on for as long as there is something to tell, and ends by itself where nobody takes
/// it; of any other answer the call is over once it is ready to be taken.
struct Answer {
    body: BoxBody,
    _open: Option<Open>,
}

impl MessageBody for Answer {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_pin_mut().poll_next(cx)
    }
}

/// Notes that a call goes on at its connection.
pub(super) async fn count(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let open = request.conn_data::<Visit>().cloned().map(Visit::begin);
    let answer = next.call(request).await?;
    let kind = answer.headers().get(CONTENT_TYPE);
    let is_stream = kind.is_some_and(|kind| kind == EVENT_STREAM || kind == SHEET);
    let open = open.filter(|_| is_stream);
    Ok(answer.map_body(|_, body| Answer {
        body: body.boxed(),
        _open: open,
    }))
}

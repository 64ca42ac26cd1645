//! The live release on a cluster: the rollout is the cluster's own, the requests of this machine go to its ready pods.
//!
//! The pods of one app keep their routes over releases, for a rollout replaces them one by one while requests go on. What
//! runs on the cluster outlives the host; it is ended only when the app moves elsewhere or all is to end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::address;
use super::apply::{Host, Live};
use super::back_end::BackEnd;
use super::comparison::Comparison;
use super::health::raised;
use super::pod_routes::PodRoutes;
use super::records::Record;
use super::report::Scraped;
use super::state::RecordedRelease;
use crate::api::types::{Place, TargetReport};
use crate::config::{DeployTarget, KubernetesSettings};
use crate::disk::now;
use crate::pipeline::ReleaseId;
use crate::pipeline::quantity::counted;
use crate::target::engine_image::EngineImage;
use crate::target::kubernetes::pods::PodWatch;
use crate::target::kubernetes::{self, Cluster, ClusterError, Prepared};
use crate::target::{ApplyRequest, ApplyResponse, Failure};

/// How long the first ready pod may take to be seen behind a rollout that is complete.
const FIRST_POD: Duration = Duration::from_secs(10);
/// How often the live objects are compared with what was applied.
const COMPARE_EVERY: Duration = Duration::from_secs(20);
/// Pauses between two tries to reach a cluster at the start of a host.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// How long a canary waits for its judge beyond the time in which evidence is gathered.
const JUDGE: Duration = Duration::from_mins(2);

/// An app on a cluster.
#[derive(Debug, Clone)]
pub struct App {
    cluster: Cluster,
    prepared: Arc<Prepared>,
    pub(super) routes: Arc<PodRoutes>,
    drift: Comparison,
}

impl Host {
    /// Puts a release into service on a cluster.
    pub(super) async fn roll_out(
        self: &Arc<Self>,
        request: ApplyRequest,
        record: &Record,
    ) -> Result<ApplyResponse, Failure> {
        let (cluster, settings) = self.cluster_patiently(&request, record).await?;
        record.step(format!("cluster {} ({}), namespace {}", cluster.context, cluster.server, cluster.namespace));
        let prepared = self.prepared(&cluster, &request, &settings).await?;
        if let Some(canary) = &settings.canary
            && request.repeats.is_none()
            && self.is_live_at(&cluster)
        {
            let tell = |text: String| record.step(text);
            let instances = kubernetes::canary::start(
                &cluster,
                &prepared,
                canary,
                request.healthy_within(),
                &tell,
                &mut self.stop_flag(),
            )
            .await?;
            record.step(format!(
                "canary: {} of release {} beside the former",
                counted(instances.len(), "pod"),
                request.release
            ));
            self.keep_canary(request, canary.within);
            return Ok(ApplyResponse::Canary { address: address(self.port), instances });
        }
        self.complete(request, cluster, prepared, record).await
    }

    /// Lets the rest of a canary's pods follow, or takes the canary away. `None` if there is no such canary.
    pub fn judge(self: &Arc<Self>, release: ReleaseId, promoted: bool) -> Option<Arc<Record>> {
        let request = self.desk().canary.clone().filter(|request| request.release == release)?;
        let record = self.open(release).ok()?;
        let (host, told) = (Arc::clone(self), Arc::clone(&record));
        tokio::spawn(async move {
            let outcome = Box::pin(host.carry_out(request, promoted, &told)).await;
            host.close(release, &told, outcome);
        });
        Some(record)
    }

    async fn carry_out(
        self: &Arc<Self>,
        request: ApplyRequest,
        promoted: bool,
        record: &Record,
    ) -> Result<ApplyResponse, Failure> {
        let release = request.release;
        let outcome = if promoted {
            record.step(format!("promoting release {release}"));
            Box::pin(self.promote(request.clone(), record)).await
        } else {
            record.step(format!("withdrawing the canary of release {release}"));
            Err(Failure::unfit("was withdrawn as a canary", Vec::new()))
        };
        // Whatever became of it: a canary that stays gets requests.
        match self.take_canary_away(&request, record).await {
            Ok(()) => self.forget_canary(release),
            Err(error) => record.step(format!("the canary cannot be taken away yet: {error}; it is tried again")),
        }
        outcome
    }

    async fn promote(self: &Arc<Self>, request: ApplyRequest, record: &Record) -> Result<ApplyResponse, Failure> {
        let (cluster, settings) = self.cluster_patiently(&request, record).await?;
        let prepared = self.prepared(&cluster, &request, &settings).await?;
        self.complete(request, cluster, prepared, record).await
    }

    async fn take_canary_away(&self, request: &ApplyRequest, record: &Record) -> Result<(), String> {
        let (cluster, _) =
            self.cluster_patiently(request, record).await.map_err(|failure| failure.reason().to_owned())?;
        // From what was applied, and not prepared anew: that may be refused by now.
        let prepared = kubernetes::stored(request, &self.releases).map_err(|error| error.to_string())?;
        kubernetes::canary::withdraw(&cluster, &prepared).await.map_err(|error| error.to_string())
    }

    /// Notes a canary, so that also the next host knows of it, and watches over it: one whose judge died must not stay for
    /// ever.
    pub(super) fn keep_canary(self: &Arc<Self>, request: ApplyRequest, within: Duration) {
        let release = request.release;
        self.desk().canary = Some(request);
        self.persist_canary(release);
        let host = Arc::clone(self);
        tokio::spawn(async move {
            let mut stop = host.stop_flag();
            let mut pause = within + JUDGE;
            loop {
                tokio::select! {
                    () = sleep(pause) => {}
                    () = raised(&mut stop) => return,
                }
                if !host.has_canary(release) {
                    return;
                }
                if let Some(record) = host.judge(release, false) {
                    host.log.say(&format!("withdrawing the canary of release {release}: nobody judged it"));
                    // Bound and dropped, because what `wait_for` returns holds a lock.
                    let _ = record.follow().wait_for(|told| told.outcome.is_some()).await;
                }
                pause = LONGEST;
            }
        });
    }

    fn has_canary(&self, release: ReleaseId) -> bool {
        self.desk().canary.as_ref().is_some_and(|request| request.release == release)
    }

    fn forget_canary(&self, release: ReleaseId) {
        if self.has_canary(release) {
            self.desk().canary = None;
            self.persist_canary(release);
        }
    }

    fn persist_canary(&self, release: ReleaseId) {
        if let Err(error) = self.persist(None) {
            self.log.say(&format!("the canary of release {release} cannot be recorded: {error}; make room"));
        }
    }

    async fn complete(
        self: &Arc<Self>,
        request: ApplyRequest,
        cluster: Cluster,
        prepared: Arc<Prepared>,
        record: &Record,
    ) -> Result<ApplyResponse, Failure> {
        let release = request.release;
        let (within, drain) = (request.healthy_within(), request.drain());
        let former = self.desk().live.as_ref().map(|live| live.record.request.release);
        record.step(match former {
            Some(former) => format!("rolling release {release} out over release {former}"),
            None => format!("rolling release {release} out"),
        });
        let tell = |text: String| record.step(text);
        kubernetes::roll_out(&cluster, &prepared, within, &tell, &mut self.stop_flag()).await?;
        let app = self.app(cluster, prepared);
        // The rollout is complete all the same: what is live is what the cluster runs, not what is reached from here.
        if let Err(trouble) = app.first_pod().await {
            record
                .step(format!("release {release} is rolled out, but its pods cannot be reached from here: {trouble}"));
        }
        let live = RecordedRelease { request, since: now() };
        if let Err(error) = self.persist(Some(&live)) {
            // The rollout is complete; the next host will not know of it, but the next deploy will replace it.
            record.step(format!("release {release} cannot be recorded: {error}; make room"));
        }
        let (former, back_end) = self.install_app(live, app);
        record.step(format!("release {release} is live on the cluster"));
        self.log.say(&format!("release {release} is live"));
        if let Some(former) = former.filter(|former| former.app.is_none()) {
            self.retire(former, back_end, drain, record).await;
        }
        Ok(ApplyResponse::Live { address: address(self.port) })
    }

    async fn cluster_patiently(
        &self,
        request: &ApplyRequest,
        record: &Record,
    ) -> Result<(Cluster, KubernetesSettings), Failure> {
        let DeployTarget::Kubernetes(settings) = &request.target else {
            return Err(Failure::not_tried("is not meant for a cluster"));
        };
        let (context, namespace) = (settings.context.as_deref(), settings.namespace.as_deref());
        let connect = || Cluster::connect(context, namespace);
        let cluster = self.patiently(record, connect, ClusterError::is_unreachable).await?;
        Ok((cluster, settings.clone()))
    }

    async fn prepared(
        &self,
        cluster: &Cluster,
        request: &ApplyRequest,
        settings: &KubernetesSettings,
    ) -> Result<Arc<Prepared>, Failure> {
        let image = EngineImage::read(&request.image).map_err(|error| {
            let (path, mend) = (request.image.display(), request.image_mend());
            Failure::not_tried(format!("has no image: {path}: {error}; {mend}"))
        })?;
        // What was pushed is pulled by the nodes; this machine's engine may have let it go.
        if image.pushed.is_none()
            && let Some(reason) = crate::target::docker::images::missing(&image, request.image_mend()).await
        {
            return Err(Failure::not_tried(format!("was not deployed: {reason}")));
        }
        let prepared = kubernetes::prepare(cluster, request, settings, image.reference(), &self.releases).await?;
        Ok(Arc::new(prepared))
    }

    fn is_live_at(&self, cluster: &Cluster) -> bool {
        let desk = self.desk();
        let app = desk.live.as_ref().and_then(|live| live.app.as_ref());
        app.is_some_and(|app| app.cluster.context == cluster.context && app.cluster.namespace == cluster.namespace)
    }

    /// The app with its routes: those of the live release where it is the same app.
    fn app(&self, cluster: Cluster, prepared: Arc<Prepared>) -> App {
        let former = self.desk().live.as_ref().and_then(|live| live.app.clone());
        let is_same = |app: &App| {
            app.cluster.context == cluster.context
                && app.cluster.namespace == cluster.namespace
                && app.prepared.selector() == prepared.selector()
                && app.prepared.port() == prepared.port()
        };
        let routes = former.filter(is_same).map_or_else(
            || {
                let watch = Arc::new(PodWatch::start(cluster.clone(), prepared.selector().to_owned()));
                Arc::new(PodRoutes::new(cluster.clone(), prepared.port(), watch))
            },
            |app| app.routes,
        );
        App { cluster, prepared, routes, drift: Comparison::default() }
    }

    fn install_app(&self, record: RecordedRelease, app: App) -> (Option<Live>, Option<Arc<BackEnd>>) {
        let (retire, _) = watch::channel(false);
        let mut desk = self.desk();
        desk.generations += 1;
        let generation = desk.generations;
        let back_end = self.switch.replace(Some(BackEnd::of_pods(Arc::clone(&app.routes))));
        let live = Live {
            generation,
            record,
            restarts: 0,
            last_exit: None,
            instance: None,
            app: Some(app),
            retire,
            task: None,
        };
        (desk.live.replace(live), back_end)
    }

    /// Finds the app of a former host again, as soon as the cluster answers.
    pub(super) fn revive_app(self: &Arc<Self>, record: RecordedRelease) {
        let host = Arc::clone(self);
        tokio::spawn(async move {
            let release = record.request.release;
            let mut stop = host.stop_flag();
            let mut pause = SHORTEST;
            loop {
                let found = host.found_again(&record.request).await;
                match found {
                    // A deploy that came first has made another the live one.
                    Ok(_) if host.live_release().is_some() => return,
                    Ok(app) => {
                        host.install_app(record, app);
                        return host.log.say(&format!("release {release} was found on the cluster"));
                    }
                    Err(reason) => host.log.say(&format!("release {release} is not found on the cluster: {reason}")),
                }
                tokio::select! {
                    () = sleep(pause) => {}
                    () = raised(&mut stop) => return,
                }
                pause = (pause * 2).min(LONGEST);
            }
        });
    }

    async fn found_again(&self, request: &ApplyRequest) -> Result<App, String> {
        let DeployTarget::Kubernetes(settings) = &request.target else { return Err("it is elsewhere".to_owned()) };
        let cluster = Cluster::connect(settings.context.as_deref(), settings.namespace.as_deref())
            .await
            .map_err(|error| error.to_string())?;
        let prepared = kubernetes::stored(request, &self.releases).map_err(|error| error.to_string())?;
        Ok(self.app(cluster, Arc::new(prepared)))
    }

    /// Takes the former release off its cluster, after the app has moved elsewhere.
    pub(super) async fn leave_cluster(&self, former: &Live, record: &Record) {
        let Some(app) = &former.app else { return };
        if let Err(error) = kubernetes::remove(&app.cluster, &app.prepared).await {
            record.step(format!("what ran on the cluster {} cannot be removed: {error}", app.cluster.context));
        }
    }
}

impl App {
    /// Waits until a pod is seen that can be asked.
    async fn first_pod(&self) -> Result<(), String> {
        let mut list = self.routes.watch().subscribe();
        let seen = list.wait_for(|list| list.pods.iter().any(|pod| pod.ready && !pod.terminating));
        match tokio::time::timeout(FIRST_POD, seen).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(self.routes.list().trouble.unwrap_or_else(|| "no pod is ready".to_owned())),
        }
    }

    /// Adds what is known of the app to a report.
    pub(super) async fn report(&self, report: &mut TargetReport) {
        let production = report.place.as_ref().is_some_and(|place| place.production);
        report.place = Some(Place {
            kind: "kubernetes".to_owned(),
            context: Some(self.cluster.context.clone()),
            namespace: Some(self.cluster.namespace.clone()),
            production,
        });
        let list = self.routes.list();
        report.unreachable = list.trouble.clone().map(|trouble| (list.heard, trouble));
        match kubernetes::status::instances(&self.cluster, self.prepared.selector()).await {
            Ok(instances) => report.instances = instances,
            Err(error) => {
                report.unreachable.get_or_insert((list.heard, error.to_string()));
            }
        }
        if report.unreachable.is_none() {
            report.drift = self.drift();
        }
    }

    /// Where the live objects differ from what was applied, as far as it is known by now.
    fn drift(&self) -> Vec<String> {
        self.drift.lines(COMPARE_EVERY, || {
            let (cluster, prepared) = (self.cluster.clone(), Arc::clone(&self.prepared));
            async move {
                match kubernetes::drift::compare(&cluster, &prepared).await {
                    Ok(lines) => lines,
                    Err(error) => vec![format!("the live objects cannot be compared: {error}")],
                }
            }
        })
    }

    /// The last lines of all pods.
    pub(super) async fn logs(&self, lines: usize) -> Vec<String> {
        let pods = self.routes.list().pods;
        let share = lines.checked_div(pods.len()).unwrap_or(lines).max(1);
        let mut all = Vec::new();
        for pod in &pods {
            let said = kubernetes::status::logs(&self.cluster, &pod.name, share).await;
            let is_only = pods.len() == 1;
            let prefix = if is_only { String::new() } else { format!("{}: ", pod.name) };
            match said {
                Ok(said) => all.extend(said.into_iter().map(|line| format!("{prefix}{line}"))),
                Err(error) => all.push(format!("{prefix}{error}")),
            }
        }
        all
    }

    /// The pods that can be scraped.
    pub(super) fn scraped(&self, live: ReleaseId) -> Vec<Scraped> {
        let list = self.routes.list();
        let ready = list.pods.into_iter().filter(|pod| pod.ready && !pod.terminating);
        ready
            .map(|pod| {
                let release = pod.release.unwrap_or(live);
                Scraped { instance: pod.name, release, track: pod.track, is_pod: true }
            })
            .collect()
    }
}

// Shows /api/status and /api/incidents, again and again. Text only ever goes in as text.

const PERIOD_MS = 3000;
const PATIENCE_MS = 10000;
const MAX_FIGURES = 6;

const zh = document.documentElement.lang === "zh";
const say = (chinese, english) => (zh ? chinese : english);
const KINDS = { meter: say("电表", "meter"), camera: say("摄像机", "camera"), contact: say("触点", "contact") };

const at = (id) => document.getElementById(id);

function ago(seconds) {
  if (seconds === null) return say("尚无", "never");
  if (seconds < 120) return say(`${Math.round(seconds)} 秒前`, `${Math.round(seconds)} s ago`);
  if (seconds < 7200) return say(`${Math.round(seconds / 60)} 分钟前`, `${Math.round(seconds / 60)} min ago`);
  return say(`${Math.round(seconds / 3600)} 小时前`, `${Math.round(seconds / 3600)} h ago`);
}

function moment(iso) {
  return iso ? new Date(iso).toLocaleString(document.documentElement.lang) : "";
}

function cell(text, name = "") {
  const element = document.createElement("td");
  element.textContent = text;
  if (name) element.className = name;
  return element;
}

function row(cells, name = "") {
  const element = document.createElement("tr");
  element.append(...cells);
  if (name) element.className = name;
  return element;
}

function verdict(text, name) {
  at("verdict").textContent = text;
  at("verdict").className = name;
}

function figures(source) {
  if (source.lost) return source.lost;
  return Object.entries(source.figures)
    .sort(([a], [b]) => Number(b === "power_kw") - Number(a === "power_kw"))
    .slice(0, MAX_FIGURES)
    .map(([name, value]) => `${name} ${Math.round(value * 100) / 100}`)
    .join(", ");
}

function showStatus(status) {
  const state = zh ? status.state.zh : status.state.en;
  at("site").textContent = `${status.site.name || status.site.mine_code} · ${status.site.gateway} · ${state}`;
  verdict(
    status.works ? say("全部正常", "everything works") : say("有部分不工作", "something does not work"),
    status.works ? "works" : "fails",
  );
  at("checks").replaceChildren(...status.checks.map((check) => row([
    cell(check.name),
    cell(check.works ? say("正常", "works") : say("异常", "fails"), check.works ? "works" : "fails"),
    cell(zh ? check.zh : check.en),
  ])));
  at("sources").replaceChildren(...status.sources.map((source) => row([
    cell(source.code),
    cell([KINDS[source.kind], source.aspect].filter(Boolean).join(" · ")),
    cell(source.lost ? say("失联", "lost") : ago(source.age_s), source.lost ? "fails" : ""),
    cell(figures(source)),
  ])));
  const { ledger, uplink, backlog } = status;
  const waits = (lane) => `${lane.records} (${say("最早", "oldest")} ${Math.round(lane.oldest_s)} s)`;
  at("records").replaceChildren(...[
    [say("记录", "records"), `${ledger.size} (${ago(ledger.durable_s)})`],
    [say("检查点", "checkpoint"), String(ledger.checkpoint ?? "–")],
    [say("回执覆盖", "receipt covers"), String(ledger.receipt ?? "–")],
    [say("服务器", "broker"), uplink.connected ? uplink.broker : uplink.fault || "–"],
    [say("最近送达", "newest PUBACK"), ago(uplink.puback_s)],
    [say("待传报警", "alarms waiting"), waits(backlog.alarm)],
    [say("待传常规", "routine waiting"), waits(backlog.routine)],
    [say("公钥", "public key"), ledger.vkey],
    [say("版本", "version"), status.version],
  ].map(([name, value]) => row([cell(name), cell(value)])));
}

function showIncidents(incidents) {
  const none = row([cell("–"), cell(say("无", "none")), cell(""), cell("")]);
  at("incidents").replaceChildren(...(incidents.length ? incidents.map((incident) => row([
    cell(String(incident.level), `level${incident.level}`),
    cell(zh ? incident.text.zh : incident.text.en),
    cell(moment(incident.opened)),
    cell(incident.closed ? moment(incident.closed) : say("进行中", "goes on")),
  ], incident.closed ? "closed" : "")) : [none]));
}

async function read(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  const data = await answer.json();
  if (!answer.ok) throw new Error(data.error ?? answer.statusText);
  return data;
}

async function refresh() {
  try {
    const [status, told] = await Promise.all([read("/api/status"), read("/api/incidents")]);
    showStatus(status);
    showIncidents(told.incidents);
  } catch (error) {
    verdict(`${say("读不到状态", "status cannot be read")}: ${error.message}`, "fails");
  }
  setTimeout(refresh, PERIOD_MS);
}

refresh();

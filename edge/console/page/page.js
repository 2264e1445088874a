// Shows /api/status and /api/incidents, again and again. Text only ever goes in as text.

import { figures, gate, kind, part, say, watched, zh } from "/names.js";

const PERIOD_MS = 3000;
const PATIENCE_MS = 10000;

const at = (id) => document.getElementById(id);
const spoken = (text) => (zh ? text.zh : text.en);

function lasting(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} ${say("秒", "s")}`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} ${say("分钟", "min")}`;
  return `${Math.round(seconds / 3600)} ${say("小时", "h")}`;
}

function ago(seconds) {
  if (seconds === null) return say("尚无", "never");
  return say(`${lasting(seconds)}前`, `${lasting(seconds)} ago`);
}

// The day only where it is not the gateway's present one; on a line of its own.
function moment(iso, now) {
  const [then, today] = [new Date(iso), new Date(now)];
  const time = then.toLocaleTimeString(zh ? "zh" : "en-GB");
  const day = then.toLocaleDateString(zh ? "zh" : "en-GB");
  return day === today.toLocaleDateString(zh ? "zh" : "en-GB") ? time : `${day}\n${time}`;
}

function cell(content, name = "") {
  const element = document.createElement("td");
  element.append(...[content].flat());
  if (name) element.className = name;
  return element;
}

function row(cells, name = "") {
  const element = document.createElement("tr");
  element.append(...cells);
  if (name) element.className = name;
  return element;
}

function strong(text) {
  const element = document.createElement("strong");
  element.textContent = text;
  return element;
}

function tell(id, text, name) {
  at(id).textContent = text;
  at(id).className = name;
}

function showStatus(status) {
  at("site").textContent = [status.site.name || status.site.mine_code, status.site.gateway, spoken(status.state)].join(" · ");
  tell(
    "verdict",
    status.works ? say("各部分正常", "everything works") : say("有部分不工作", "something does not work"),
    status.works ? "works" : "fails",
  );
  tell(
    "open",
    status.open ? say(`未结异常 ${status.open} 起`, `${status.open} open incident${status.open === 1 ? "" : "s"}`) : say("无未结异常", "no open incident"),
    status.open ? "fails" : "works",
  );
  at("checks").replaceChildren(...status.checks.map((check) => row([
    cell(part(check.name)),
    cell(check.works ? say("正常", "works") : say("故障", "fails"), check.works ? "works" : "fails"),
    cell(spoken(check)),
  ])));
  at("sources").replaceChildren(...status.sources.map((source) => row([
    cell(source.code),
    cell(kind(source)),
    cell(source.lost ? say("失联", "lost") : ago(source.age_s), source.lost ? "fails" : ""),
    cell(source.lost ? say(source.lost_zh, source.lost) : [gate(source.gate), figures(source.figures), watched(source.watched)].filter(Boolean).join(say("；", "; "))),
  ])));
  at("records").replaceChildren(...records(status).map(([name, value]) => row([cell(name), cell(value)])));
}

function records({ now, version, ledger, uplink, backlog }) {
  const waiting = ({ records: count, oldest_s }) => (count ? `${count} (${say("最早", "oldest")} ${ago(oldest_s)})` : "0");
  return [
    [say("网关时间", "gateway's clock"), new Date(now).toLocaleString(zh ? "zh" : "en-GB")],
    [say("记录", "records"), `${ledger.size} (${ago(ledger.durable_s)})`],
    [say("检查点", "checkpoint"), String(ledger.checkpoint ?? "–")],
    [say("回执覆盖", "receipt covers"), String(ledger.receipt ?? "–")],
    [say("省级平台服务器", "province's broker"), uplink.connected ? uplink.broker : uplink.fault || "–"],
    [say("最近送达", "newest PUBACK"), ago(uplink.puback_s)],
    [say("待传报警", "alarms waiting"), waiting(backlog.alarm)],
    [say("待传常规", "routine waiting"), waiting(backlog.routine)],
    [say("公钥", "public key"), ledger.vkey],
    [say("版本", "version"), version],
  ];
}

function showIncidents(incidents, now) {
  const none = row([cell("–"), cell(say("无", "none")), cell(""), cell("")]);
  at("incidents").replaceChildren(...(incidents.length ? incidents.map((incident) => row([
    cell(String(incident.level), `level${incident.level}`),
    cell([strong(spoken(incident.name)), " ", spoken(incident.text)]),
    cell(moment(incident.opened, now), "time"),
    cell(incident.closed ? moment(incident.closed, now) : say("进行中", "goes on"), "time"),
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
    showIncidents(told.incidents, status.now);
  } catch (error) {
    tell("verdict", `${say("读不到状态", "status cannot be read")}: ${error.message}`, "fails");
    tell("open", "", "unknown");
  }
  setTimeout(refresh, PERIOD_MS);
}

refresh();

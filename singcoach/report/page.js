(function () {
  "use strict";
  function light(number, on) {
    var marks = document.querySelectorAll('[data-moment="' + number + '"], #moment-' + number);
    marks.forEach(function (mark) { mark.classList.toggle("lit", on); });
  }
  document.querySelectorAll(".moment").forEach(function (moment) {
    var number = moment.id.slice("moment-".length);
    var player = moment.querySelector("audio");
    if (!player) { return; }
    player.addEventListener("play", function () {
      document.querySelectorAll("audio").forEach(function (other) {
        if (other !== player) { other.pause(); }
      });
      light(number, true);
    });
    ["pause", "ended"].forEach(function (name) {
      player.addEventListener(name, function () { light(number, false); });
    });
  });
  document.addEventListener("click", function (event) {
    var link = event.target.closest('a[href^="#moment-"]');
    if (!link) { return; }
    var player = document.querySelector(link.getAttribute("href") + " audio");
    if (player) {
      player.currentTime = 0;
      player.play().catch(function () { /* the singer can still press play */ });
    }
  });
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (part) { part.open = true; });
  });
}());

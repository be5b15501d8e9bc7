/** Runs before anything is painted, so that a chosen theme never flashes in the other one. */
const chosen = localStorage.getItem("headrace.theme")
if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen

// The pages about people and policies, by name.

// ofPeople finds the pages of a box that has a member; a group is made.
export async function ofPeople(page, member) {
  await page.goto("/groups/new");
  await page.getByLabel("Name of the group").fill("Surveyors");
  await page.getByRole("button", { name: "Add group" }).click();
  await page.getByText("The group Surveyors is there.").waitFor();
  const group = new URL(page.url()).pathname;
  const [policy, devices] = [await first(page, "/policies?policyKind=identity"), await first(page, "/policies?policyKind=device")];
  return {
    groups: "/groups", "group-new": "/groups/new", group, "group-delete": `${group}/delete`,
    policies: "/policies", "policy-new": "/policies/new", policy, "policy-edit": `${policy}/edit`, "policy-copy": `${policy}/copy`,
    "policy-assign": `${policy}/assign`, "policy-devices": devices, "policy-devices-edit": `${devices}/edit`,
    resets: "/resets", devices: "/devices", device: await first(page, "/devices"),
    "member-import": "/members/import", "member-export": "/members/export", "member-assign": `${member}/assign`,
    "member-migrate": `${member}/migrate`,
  };
}

// first is the path of the first row of a list.
async function first(page, list) {
  await page.goto(list);
  return page.locator("tbody th a").first().getAttribute("href");
}

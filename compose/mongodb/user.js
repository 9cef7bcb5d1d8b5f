// Runs once, on an empty volume: the user as whom EventFlow comes. It may do anything with its own database and see no other.
db.getSiblingDB("admin").createUser({
  user: "eventflow",
  pwd: process.env.MONGODB_PASSWORD,
  roles: [
    { role: "readWrite", db: "eventflow" },
    { role: "dbAdmin", db: "eventflow" }, // a rebuilt view is put in the place of the old one by renaming collections
  ],
});

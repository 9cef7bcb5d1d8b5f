// The health check; exits 0 when this node is the primary. Makes the replica set of one node that transactions need,
// when there is none yet.
const host = process.env.MONGODB_HOST;
try {
  const password = encodeURIComponent(process.env.MONGO_INITDB_ROOT_PASSWORD);
  const user = encodeURIComponent(process.env.MONGO_INITDB_ROOT_USERNAME);
  const admin = connect(`mongodb://${user}:${password}@127.0.0.1:27017/admin?directConnection=true&serverSelectionTimeoutMS=3000`);
  const hello = admin.hello();
  if (!hello.setName) {
    admin.adminCommand({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host }] } });
  }
  quit(hello.isWritablePrimary && hello.setName ? 0 : 1);
} catch (error) {
  print(error.message);
  quit(1);
}

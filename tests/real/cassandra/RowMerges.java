// RowMerges SEED COUNT FILE: what Cassandra makes of two rows of one place (Rows.merge), for random rows with few timestamps and times,
// so that many are equal. What a row
// deletes is older than the rest of it, as CQL writes it; two cells of which Cassandra takes whichever comes first are left
// out. One line each: row, row, and the row they make, separated by tabs. A row is its parts, each
// ended by ";": "L timestamp ttl expires", "D timestamp local" its deletion, "A column timestamp local" the deletion of a
// collection, "C column path timestamp ttl expires value" and "T column path timestamp local" its cells; paths and values in
// hexadecimal after "x".
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.db.Clustering;
import org.apache.cassandra.db.DeletionTime;
import org.apache.cassandra.db.LivenessInfo;
import org.apache.cassandra.db.marshal.BytesType;
import org.apache.cassandra.db.marshal.MapType;
import org.apache.cassandra.db.rows.BTreeRow;
import org.apache.cassandra.db.rows.BufferCell;
import org.apache.cassandra.db.rows.Cell;
import org.apache.cassandra.db.rows.CellPath;
import org.apache.cassandra.db.rows.ColumnData;
import org.apache.cassandra.db.rows.ComplexColumnData;
import org.apache.cassandra.db.rows.Row;
import org.apache.cassandra.db.rows.Rows;
import org.apache.cassandra.schema.ColumnMetadata;
import org.apache.cassandra.utils.ByteBufferUtil;

public class RowMerges {
  static final ColumnMetadata[] PLAIN = {column("a"), column("b")};
  static final ColumnMetadata MAP =
      ColumnMetadata.regularColumn("k", "t", "c", MapType.getInstance(BytesType.instance, BytesType.instance, true));
  static Random random;

  static ColumnMetadata column(String name) {
    return ColumnMetadata.regularColumn("k", "t", name, BytesType.instance);
  }

  static ByteBuffer bytes() {
    byte[] made = new byte[random.nextInt(3)];
    for (int i = 0; i < made.length; i++) made[i] = new byte[] {0, 1, 127, -128, -1}[random.nextInt(5)];
    return ByteBuffer.wrap(made);
  }

  /// After `after`, which is 13 at most.
  static long timestamp(long after) {
    return after + 1 + random.nextInt((int) (14 - after));
  }

  static Cell<?> cell(ColumnMetadata column, CellPath path, long after) {
    int kind = random.nextInt(3);
    if (kind == 0) return BufferCell.tombstone(column, timestamp(after), 1000 + random.nextInt(3), path);
    if (kind == 1) return BufferCell.live(column, timestamp(after), bytes(), path);
    return new BufferCell(column, timestamp(after), 1 + random.nextInt(3), 1000 + random.nextInt(3), bytes(), path);
  }

  static Row row() {
    Row.Builder builder = BTreeRow.unsortedBuilder();
    builder.newRow(Clustering.EMPTY);
    long after = 9;
    if (random.nextInt(4) == 0) {
      after += random.nextInt(3);
      builder.addRowDeletion(Row.Deletion.regular(DeletionTime.build(after, 1000 + random.nextInt(3))));
    }
    int liveness = random.nextInt(4);
    if (liveness == 1) builder.addPrimaryKeyLivenessInfo(LivenessInfo.create(timestamp(after), 1));
    if (liveness == 2) {
      builder.addPrimaryKeyLivenessInfo(
          LivenessInfo.withExpirationTime(timestamp(after), 1 + random.nextInt(3), 1000 + random.nextInt(3)));
    }
    for (ColumnMetadata column : PLAIN)
      if (random.nextInt(3) > 0) builder.addCell(cell(column, null, after));
    if (random.nextInt(3) == 0) {
      after = Math.min(13, timestamp(after));
      builder.addComplexDeletion(MAP, DeletionTime.build(after, 1000 + random.nextInt(3)));
    }
    for (int i = 0; i < 3; i++)
      if (random.nextBoolean()) builder.addCell(cell(MAP, CellPath.create(ByteBuffer.wrap(new byte[] {(byte) i})), after));
    return builder.build();
  }

  static String hex(ByteBuffer bytes) {
    return "x" + ByteBufferUtil.bytesToHex(bytes);
  }

  static String text(Cell<?> cell, int column) {
    String place = column + " " + (cell.path() == null ? "x" : hex(cell.path().get(0))) + " " + cell.timestamp() + " ";
    if (cell.isTombstone()) return "T " + place + cell.localDeletionTime() + ";";
    boolean expires = cell.isExpiring();
    return "C " + place + (expires ? cell.ttl() : 0) + " " + (expires ? cell.localDeletionTime() : 0) + " "
        + hex(cell.buffer()) + ";";
  }

  static String text(Row row) {
    if (row == null) return "";
    StringBuilder made = new StringBuilder();
    LivenessInfo live = row.primaryKeyLivenessInfo();
    if (!live.isEmpty()) {
      made.append("L ").append(live.timestamp()).append(" ").append(live.ttl()).append(" ");
      made.append(live.isExpiring() ? live.localExpirationTime() : 0).append(";");
    }
    DeletionTime deletion = row.deletion().time();
    if (!deletion.isLive())
      made.append("D ").append(deletion.markedForDeleteAt()).append(" ").append(deletion.localDeletionTime()).append(";");
    for (ColumnData data : row) {
      int column = data.column().name.toString().charAt(0) - 'a';
      if (!(data instanceof ComplexColumnData)) {
        made.append(text((Cell<?>) data, column));
        continue;
      }
      DeletionTime all = ((ComplexColumnData) data).complexDeletion();
      if (all.supersedes(deletion)) {  // else it says nothing more
        made.append("A ").append(column).append(" ").append(all.markedForDeleteAt()).append(" ");
        made.append(all.localDeletionTime()).append(";");
      }
      for (Cell<?> cell : (ComplexColumnData) data) made.append(text(cell, column));
    }
    return made.toString();
  }

  public static void main(String[] words) throws Exception {
    DatabaseDescriptor.clientInitialization(false);
    random = new Random(Long.parseLong(words[0]));
    try (PrintStream out = new PrintStream(words[2], StandardCharsets.UTF_8)) {
      for (int i = 0; i < Integer.parseInt(words[1]); i++) {
        Row one = row();
        Row other = row();
        String both = text(Rows.merge(one, other));
        if (both.equals(text(Rows.merge(other, one)))) out.print(text(one) + "\t" + text(other) + "\t" + both + "\n");
      }
    }
  }
}

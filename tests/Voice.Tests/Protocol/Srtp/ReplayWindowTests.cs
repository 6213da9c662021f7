using CsCheck;
using Voice.Protocol.Srtp;
using Xunit;

namespace Voice.Tests.Protocol.Srtp;

public class ReplayWindowTests
{
    [Fact]
    public void Agrees_with_a_set_of_everything_seen()
    {
        // Steps around the newest: reordering, duplicates, loss, and leaps past the whole window.
        var step = Gen.Frequency(
            (6, Gen.Long[-4, 4]), (3, Gen.Long[-ReplayWindow.Size - 3, ReplayWindow.Size + 3]), (1, Gen.Long[-1000, 1000]));
        Gen.Select(Gen.ULong[0, 1UL << 47], step.Array[1, 300]).Sample((start, steps) =>
        {
            var window = new ReplayWindow();
            var model = new HashSet<ulong>();
            var newest = start;
            foreach (var delta in steps)
            {
                if (delta < 0 && (ulong)-delta > newest) continue;
                var index = newest + (ulong)delta;
                var expected = model.Count > 0 && index + ReplayWindow.Size <= model.Max() ? ReplayVerdict.TooOld
                    : model.Contains(index) ? ReplayVerdict.Replayed
                    : ReplayVerdict.Fresh;
                if (window.Check(index) != expected) return false;
                if (expected != ReplayVerdict.Fresh) continue;

                window.Commit(index);
                model.Add(index);
                newest = Math.Max(newest, index);
                if (window.Highest != model.Max()) return false;
            }
            return true;
        });
    }

    [Fact]
    public void Checking_changes_nothing()
    {
        var window = new ReplayWindow();
        window.Commit(1000);
        var before = window;
        foreach (ulong index in (ulong[])[0, 1000 - ReplayWindow.Size, 999, 1000, 1001, 5000]) window.Check(index);
        Assert.Equal(before, window);
    }

    [Fact]
    public void A_copy_carries_on_where_the_original_was()
    {
        var window = new ReplayWindow();
        window.Commit(70_000);
        window.Commit(69_990);
        var restored = new ReplayWindow(window.Highest, window.Seen);
        Assert.Equal(ReplayVerdict.Replayed, restored.Check(69_990));
        Assert.Equal(ReplayVerdict.Fresh, restored.Check(69_991));
        Assert.Equal(ReplayVerdict.TooOld, restored.Check(70_000 - ReplayWindow.Size));
    }
}

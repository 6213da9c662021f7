using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

public class OutboxTests
{
    [Theory]
    [InlineData(10, Outbox.MaxMessages)]
    [InlineData(1024 * 1024, Outbox.MaxBytes / (1024 * 1024))]
    public void A_client_that_does_not_read_is_cut_off_once_and_nothing_more_is_kept_for_it(int size, int limit)
    {
        var cutOff = 0;
        var outbox = new Outbox(() => cutOff++);
        var message = new byte[size];

        for (var i = 0; i < limit; i++) outbox.Post(message);
        Assert.Equal(0, cutOff);
        for (var i = 0; i < 10; i++) outbox.Post(message);
        Assert.Equal(1, cutOff);
    }

    [Fact]
    public void Posting_after_the_end_is_no_overflow()
    {
        var outbox = new Outbox(() => Assert.Fail("cut off"));

        outbox.Complete();
        outbox.Post([1]);
    }
}

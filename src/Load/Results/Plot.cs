using System.Globalization;
using System.Net;
using System.Text;

namespace Voice.Load.Results;

/// <summary>One line of a plot.</summary>
internal sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>A plot as SVG: lines with their points over two axes.</summary>
/// <param name="Limit">A value of the vertical axis that is drawn as a dashed line, with what it means.</param>
/// <param name="Logarithmic">The vertical axis goes by powers of ten.</param>
internal sealed record Plot(string Title, string XName, string YName, IReadOnlyList<Series> Lines, (double Y, string Name)? Limit = null, bool Logarithmic = false)
{
    /// <summary>Values of the horizontal axis that are drawn as vertical lines, with what happened there.</summary>
    public IReadOnlyList<(double X, string Name)> Marks { get; init; } = [];

    /// <summary>Where the horizontal axis begins.</summary>
    public double FirstX { get; init; }

    private const double Width = 640;
    private const double Height = 300;
    private const double Left = 64;
    private const double Right = 16;
    private const double Top = 36;
    private const double Bottom = 48;
    private const int Ticks = 5;

    internal const string Font = "font:11px system-ui,sans-serif;fill:#374151";
    internal const string Style = ".title{font-size:13px;font-weight:600}.axis{fill:none;stroke:#9ca3af}.grid{stroke:#f3f4f6}.line{fill:none;stroke-width:1.5}.limit{stroke:#dc2626;stroke-dasharray:4 3}.mark{stroke:#7c3aed;stroke-dasharray:2 3}";

    private static readonly string[] Colours = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed"];

    /// <summary>Empty where there is nothing to draw.</summary>
    public string ToSvg()
    {
        var points = Lines.SelectMany(line => line.Points).ToArray();
        if (points.Length == 0) return "";
        var maxX = Nice(points.Max(point => point.X));
        var maxY = points.Max(point => point.Y);
        if (Limit is { } bound) maxY = Math.Max(maxY, bound.Y);
        var (low, high) = Logarithmic ? (Floor10(points.Min(point => point.Y)), Math.Ceiling(Math.Log10(Math.Max(10, maxY)))) : (0, Nice(maxY));

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\"><text x=\"{Left}\" y=\"18\" class=\"title\">{Text(Title)}</text>");
        Axes(svg, maxX, low, high);
        if (Limit is { } limit)
        {
            var y = Y(limit.Y, low, high);
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"limit\" d=\"M{Left} {y:0.#}H{Width - Right}\"/><text x=\"{Width - Right}\" y=\"{y - 4:0.#}\" text-anchor=\"end\">{Text(limit.Name)}</text>");
        }

        for (var i = 0; i < Marks.Count; i++)
        {
            var x = X(Marks[i].X, maxX);
            var left = Marks[i].X - FirstX > (maxX - FirstX) / 2;
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"mark\" d=\"M{x} {Top}V{Height - Bottom}\"/><text x=\"{x}\" dx=\"{(left ? -4 : 4)}\" y=\"{Top + 12 + 13 * (i % 4)}\"{(left ? " text-anchor=\"end\"" : "")}>{Text(Marks[i].Name)}</text>");
        }

        for (var i = 0; i < Lines.Count; i++)
        {
            var colour = Colours[i % Colours.Length];
            var path = string.Join('L', Lines[i].Points.OrderBy(point => point.X).Select(point => $"{X(point.X, maxX)} {Number(Y(point.Y, low, high))}"));
            if (path.Length > 0) svg.Append(CultureInfo.InvariantCulture, $"<path class=\"line\" stroke=\"{colour}\" d=\"M{path}\"/>");
            foreach (var point in Lines[i].Points)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<circle r=\"2.5\" fill=\"{colour}\" cx=\"{X(point.X, maxX)}\" cy=\"{Y(point.Y, low, high):0.#}\"><title>{Text(Lines[i].Name)}: {Short(point.X)}, {Short(point.Y)}</title></circle>");
            }

            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - Right - 110 * (Lines.Count - 1 - i)}\" y=\"{(Lines.Count > 3 ? Top - 4 : 18)}\" text-anchor=\"end\" fill=\"{colour}\">{Text(Lines[i].Name)}</text>");
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>With its styles, as a file of its own.</summary>
    public string ToSvgFile() => ToSvg().Replace(
        "<svg ", $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{Height}\" ", StringComparison.Ordinal).Replace(
        "role=\"img\">", $"role=\"img\"><style>svg{{{Font}}}{Style}</style><rect width=\"{Width}\" height=\"{Height}\" fill=\"#fff\"/>", StringComparison.Ordinal) + "\n";

    private void Axes(StringBuilder svg, double maxX, double low, double high)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<path class=\"axis\" d=\"M{Left} {Top}V{Height - Bottom}H{Width - Right}\"/>");
        for (var i = 0; i <= Ticks; i++)
        {
            var x = FirstX + (maxX - FirstX) * i / Ticks;
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(x, maxX)}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{Short(x)}</text>");
        }

        var steps = Logarithmic ? (int)(high - low) : Ticks;
        for (var i = 0; i <= steps; i++)
        {
            var value = Logarithmic ? Math.Pow(10, low + i) : high * i / steps;
            var y = Y(value, low, high);
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"grid\" d=\"M{Left} {y:0.#}H{Width - Right}\"/><text x=\"{Left - 6}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{Short(value)}</text>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 10}\" text-anchor=\"middle\">{Text(XName)}</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<text transform=\"translate(14 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{Text(YName)}</text>");
    }

    private string X(double x, double max) => Number(Left + (Width - Left - Right) * (x - FirstX) / (max - FirstX));

    private double Y(double y, double low, double high)
    {
        var share = Logarithmic ? (Math.Log10(Math.Max(y, Math.Pow(10, low))) - low) / (high - low) : y / high;
        return Height - Bottom - (Height - Top - Bottom) * share;
    }

    private static double Floor10(double y) => y <= 1 ? 0 : Math.Floor(Math.Log10(y));

    /// <summary>The next round number.</summary>
    private static double Nice(double max)
    {
        if (max <= 0) return 1;
        var unit = Math.Pow(10, Math.Floor(Math.Log10(max)));
        return unit * ((double[])[1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]).First(step => step * unit >= max * 0.999);
    }

    private static string Short(double value) => value switch
    {
        >= 1e6 => Number(value / 1e6) + "M",
        >= 1e4 => Number(value / 1e3) + "k",
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    private static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
